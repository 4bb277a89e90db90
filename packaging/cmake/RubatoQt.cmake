# Qt for the studio. Without it everything else builds; Test comes with Qt's base package.
if(RUBATO_UI)
  find_package(Qt6 6.4 QUIET COMPONENTS Core Gui Widgets Svg Test)
  if(NOT Qt6_FOUND)
    message(STATUS "Qt 6.4 was not found (Debian: qt6-base-dev, qt6-svg-dev): the studio is not built")
    set(RUBATO_UI OFF)
  endif()
endif()
