# tests.cmake - tests register themselves: tests/unit/PATH_test.c becomes the test PATH. Labels: `fast` tests run at every quick check,
# `slow` ones in `make test` only.
file(GLOB_RECURSE unit_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*_test.c)
foreach(source IN LISTS unit_sources)
  file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR}/tests/unit ${source})
  string(REGEX REPLACE "_test\\.c$" "" name ${name})
  string(REPLACE "/" "-" target "unit-${name}")
  add_executable(${target} ${source})
  mote_setup(${target})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit ${CMAKE_SOURCE_DIR}/lib ${CMAKE_SOURCE_DIR}/cli)
  target_link_libraries(${target} PRIVATE ${mote_libraries})
  add_test(NAME unit/${name} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(unit/${name} PROPERTIES LABELS fast TIMEOUT 120)
endforeach()

# tools/tidy.c reads the tree itself.
add_executable(tidy ${CMAKE_SOURCE_DIR}/tools/tidy.c)
target_link_libraries(tidy PRIVATE mote_flags)
set_target_properties(tidy PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
add_test(NAME tidy COMMAND tidy ${CMAKE_SOURCE_DIR})
set_tests_properties(tidy PROPERTIES LABELS fast TIMEOUT 60)

# tests/golden/AREA/NAME.golden becomes the test golden/AREA/NAME (tests/golden/README.md).
file(GLOB_RECURSE golden_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/golden/*.golden)
foreach(file IN LISTS golden_files)
  file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR}/tests/golden ${file})
  string(REGEX REPLACE "\\.golden$" "" name ${name})
  if((TARGET mote_command OR name MATCHES "^(runner|tidy)/") AND NOT CMAKE_CROSSCOMPILING)
    add_test(NAME golden/${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/golden/run ${file})
    set_tests_properties(golden/${name} PROPERTIES LABELS fast TIMEOUT 120
      ENVIRONMENT_MODIFICATION "PATH=path_list_prepend:${CMAKE_BINARY_DIR}/tools;PATH=path_list_prepend:${CMAKE_BINARY_DIR};MOTE_SOURCE=set:${CMAKE_SOURCE_DIR}")
  endif()
endforeach()

# The installed package, used as somebody else would.
if(EXISTS ${CMAKE_SOURCE_DIR}/src/api/mote.c AND NOT MOTE_SANITIZE AND NOT CMAKE_CROSSCOMPILING)
  add_test(NAME install COMMAND ${CMAKE_SOURCE_DIR}/tests/install/run ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER})
  set_tests_properties(install PROPERTIES LABELS slow TIMEOUT 300)
endif()
