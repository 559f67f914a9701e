# Language level, warnings, sanitizers and ccache, for every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE)
  # Relative paths and no directory in the hash: a fresh clone hits what another one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Wswitch -fno-math-errno)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wthread-safety)
endif()

if(VETTORE_SANITIZE)
  add_compile_options(-fsanitize=${VETTORE_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${VETTORE_SANITIZE})
  if(VETTORE_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  # g++ 12 reports false positives of these two through sanitizer instrumentation.
  add_compile_options(-Wno-maybe-uninitialized -Wno-tsan)
endif()
