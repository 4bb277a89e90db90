# Qt for the studio. Without it everything else builds; Test comes with Qt's base package.
if(RUBATO_UI)
  find_package(Qt6 6.4 QUIET COMPONENTS Core Gui Widgets Svg Test)
  # lrelease compiles the languages of the window; lupdate reads the texts out of its sources.
  find_program(RUBATO_LRELEASE lrelease HINTS "${QT6_INSTALL_PREFIX}/${QT6_INSTALL_BINS}" /usr/lib/qt6/bin NO_DEFAULT_PATH)
  find_program(RUBATO_LUPDATE lupdate HINTS "${QT6_INSTALL_PREFIX}/${QT6_INSTALL_BINS}" /usr/lib/qt6/bin NO_DEFAULT_PATH)
  if(NOT Qt6_FOUND OR NOT RUBATO_LRELEASE OR NOT RUBATO_LUPDATE)
    message(STATUS "Qt 6.4 was not found (Debian: qt6-base-dev, qt6-svg-dev, qt6-l10n-tools): the studio is not built")
    set(RUBATO_UI OFF)
  endif()
endif()

# rubato_add_languages(TARGET ts-files…): compiles them into the resources of the target, as :/languages/NAME.qm.
function(rubato_add_languages target)
  set(entries "")
  set(compiled "")
  foreach(source IN LISTS ARGN)
    get_filename_component(name "${source}" NAME_WE)
    set(qm "${CMAKE_CURRENT_BINARY_DIR}/${name}.qm")
    add_custom_command(OUTPUT "${qm}" DEPENDS "${source}"
      COMMAND "${RUBATO_LRELEASE}" -silent -nounfinished "${source}" -qm "${qm}" VERBATIM)
    string(APPEND entries "<file alias=\"${name}.qm\">${qm}</file>")
    list(APPEND compiled "${qm}")
  endforeach()
  set(list "${CMAKE_CURRENT_BINARY_DIR}/languages.qrc")
  file(CONFIGURE OUTPUT "${list}" CONTENT "<RCC><qresource prefix=\"/languages\">@entries@</qresource></RCC>" @ONLY)
  set(resource "${CMAKE_CURRENT_BINARY_DIR}/qrc_languages.cpp")
  add_custom_command(OUTPUT "${resource}" DEPENDS "${list}" ${compiled}
    COMMAND Qt6::rcc --name languages --output "${resource}" "${list}" VERBATIM)
  set_source_files_properties("${resource}" PROPERTIES SKIP_AUTOGEN ON SKIP_PRECOMPILE_HEADERS ON)
  target_sources(${target} PRIVATE "${resource}")
endfunction()
