# A room is a folder of src/ with one job, and one static library. What a room may link is its row of
# the layer table of ARCHITECTURE.md; tests/layers checks the includes against the same table.

# What nearly every unit includes, parsed once. A unit still includes what it uses: the clang preset
# and the headers target build without this.
set(precompiled <algorithm> <cstdint> <filesystem> <functional> <map> <memory> <optional> <span>
    <string> <string_view> <utility> <variant> <vector> <absl/container/flat_hash_map.h>
    <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/synchronization/mutex.h>
    <absl/time/clock.h> <nlohmann/json.hpp>)
file(WRITE ${CMAKE_BINARY_DIR}/empty.cc "")

# vettore_precompiled(<name> LIBRARIES ... HEADERS ...): a target whose precompiled header others reuse.
function(vettore_precompiled name)
  cmake_parse_arguments(ARG "" "" "LIBRARIES;HEADERS" ${ARGN})
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/empty.cc)
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()
vettore_precompiled(vettore_precompiled_room HEADERS ${precompiled}
                    LIBRARIES absl::flat_hash_map absl::statusor absl::synchronization
                              nlohmann_json::nlohmann_json spdlog::spdlog)
if(VETTORE_TESTS)
  vettore_precompiled(vettore_precompiled_test HEADERS ${precompiled} <gmock/gmock.h> <gtest/gtest.h>
                      LIBRARIES absl::flat_hash_map absl::statusor absl::synchronization
                                nlohmann_json::nlohmann_json spdlog::spdlog GTest::gmock)
endif()

# vettore_room(<name> FOLDERS <folders within it>... ROOMS <rooms below>... LIBRARIES <third parties>...)
function(vettore_room name)
  cmake_parse_arguments(ARG "" "" "FOLDERS;ROOMS;LIBRARIES" ${ARGN})
  set(folders ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(folder ${ARG_FOLDERS})
    list(APPEND folders ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
  endforeach()
  list(TRANSFORM folders APPEND /*.cc OUTPUT_VARIABLE source_patterns)
  list(TRANSFORM folders APPEND /*.h OUTPUT_VARIABLE header_patterns)
  file(GLOB sources CONFIGURE_DEPENDS ${source_patterns})
  file(GLOB headers CONFIGURE_DEPENDS ${header_patterns})
  list(TRANSFORM ARG_ROOMS PREPEND vettore_ OUTPUT_VARIABLE rooms)
  add_library(vettore_${name} STATIC ${sources})
  target_include_directories(vettore_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(vettore_${name} PUBLIC ${rooms} ${ARG_LIBRARIES})
  # What links gRPC is compiled with -pthread, and a header precompiled without it does not fit.
  if(NOT "gRPC::grpc++" IN_LIST ARG_LIBRARIES)
    target_precompile_headers(vettore_${name} REUSE_FROM vettore_precompiled_room)
  endif()

  # Every header compiles alone: a translation unit for each that holds only its include.
  set(alone)
  foreach(header ${headers})
    file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/src ${header})
    set(unit ${CMAKE_BINARY_DIR}/headers/${path}.cc)
    file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${path}\"\n" @ONLY)
    list(APPEND alone ${unit})
  endforeach()
  if(alone)
    add_library(vettore_${name}_headers OBJECT EXCLUDE_FROM_ALL ${alone})
    target_link_libraries(vettore_${name}_headers PRIVATE vettore_${name})
    add_dependencies(vettore_headers vettore_${name}_headers)
  endif()
endfunction()

# Building this target proves that every header compiles alone.
add_custom_target(vettore_headers)

# vettore_room_test(<room> LIBRARIES ...): tests/<room>/*_test.cc as one program and one ctest entry.
function(vettore_room_test name)
  cmake_parse_arguments(ARG "" "" "LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(vettore_${name}_test ${sources})
  target_include_directories(vettore_${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(vettore_${name}_test PRIVATE vettore_${name} ${ARG_LIBRARIES} GTest::gmock
                                                     GTest::gtest_main)
  if(NOT name MATCHES "^(server|cli)$")
    target_precompile_headers(vettore_${name}_test REUSE_FROM vettore_precompiled_test)
  endif()
  add_test(NAME ${name} COMMAND vettore_${name}_test)
  set_tests_properties(${name} PROPERTIES TIMEOUT 900)
endfunction()
