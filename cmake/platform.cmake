# platform.cmake - which machine this is. Everything below relies on little-endian memory, so other machines are refused here, by name.
if(CMAKE_C_BYTE_ORDER STREQUAL "BIG_ENDIAN")
  message(FATAL_ERROR "mote does not run on big-endian machines (${CMAKE_SYSTEM_PROCESSOR}): "
    "linear memory is little-endian and is accessed in place")
endif()

if(NOT MOTE_OS STREQUAL "auto")
  set(mote_os ${MOTE_OS})
elseif(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(mote_os linux)
else()
  set(mote_os posix)
endif()
