# compiler.cmake - the newest clang from 19 on (the interpreter wants its tail calls), unless CC or CMAKE_C_COMPILER says otherwise;
# any C17 compiler where there is none.
if(NOT DEFINED CMAKE_C_COMPILER AND "$ENV{CC}" STREQUAL "")
  find_program(MOTE_CLANG NAMES clang-24 clang-23 clang-22 clang-21 clang-20 clang-19)
  mark_as_advanced(MOTE_CLANG)
  if(MOTE_CLANG)
    set(CMAKE_C_COMPILER ${MOTE_CLANG})
  endif()
endif()
