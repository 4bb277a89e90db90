# Compiler settings shared by every target of ours.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set_property(GLOBAL PROPERTY JOB_POOLS link=1 nvcc=1)
set(CMAKE_JOB_POOL_LINK link)

find_package(PkgConfig REQUIRED)
find_program(RUBATO_CCACHE ccache)
if(RUBATO_CCACHE)
  # time_macros and pch_defines are what ccache needs to cache files that use a precompiled header.
  set(RUBATO_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${RUBATO_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${RUBATO_LAUNCHER})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${RUBATO_LAUNCHER})
endif()
find_program(RUBATO_MOLD mold)
if(RUBATO_MOLD AND NOT RUBATO_FUZZ)
  add_link_options(-fuse-ld=mold)
endif()

# CUDA is on where nvcc is found; -DRUBATO_CUDA=OFF builds everything else.
find_program(RUBATO_NVCC nvcc PATHS /usr/local/cuda/bin)
if(RUBATO_NVCC)
  option(RUBATO_CUDA "Build the CUDA kernels" ON)
else()
  option(RUBATO_CUDA "Build the CUDA kernels" OFF)
endif()
if(RUBATO_CUDA)
  set(CMAKE_CUDA_COMPILER "${RUBATO_NVCC}" CACHE FILEPATH "")
  set(CMAKE_CUDA_ARCHITECTURES 90a CACHE STRING "GPU architectures")
  set(CMAKE_CUDA_STANDARD 20)
  enable_language(CUDA)
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc has C++20
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
    set(CMAKE_CUDA20_COMPILE_FEATURES "cuda_std_20")
    list(APPEND CMAKE_CUDA_COMPILE_FEATURES cuda_std_20)
  endif()
  find_package(CUDAToolkit REQUIRED)
endif()

add_library(rubato_warnings INTERFACE)
target_compile_options(rubato_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-fpch-preprocess -Wno-missing-field-initializers>
  # libstdc++ 12's own stable_sort calls what it has marked deprecated; clang reports that at our call.
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:Clang>>:-Wno-missing-field-initializers -Wno-deprecated-declarations>)
if(RUBATO_SANITIZE)
  # GCC's sanitizers hide initialisations from this warning; std::regex alone gives a dozen false ones.
  target_compile_options(rubato_warnings INTERFACE $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-Wno-maybe-uninitialized>)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fsanitize=address,undefined> $<$<COMPILE_LANGUAGE:CXX>:-fno-omit-frame-pointer>)
  add_link_options(-fsanitize=address,undefined)
endif()
if(RUBATO_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
endif()

execute_process(COMMAND git -C "${PROJECT_SOURCE_DIR}" rev-parse --short=12 HEAD
  OUTPUT_VARIABLE RUBATO_GIT_REVISION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT RUBATO_GIT_REVISION)
  set(RUBATO_GIT_REVISION "unknown")
endif()
