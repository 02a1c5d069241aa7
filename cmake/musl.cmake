# musl.cmake - flags that make clang build against Debian's musl (musl-tools, musl-dev): the command mote becomes one small static program
# while the libraries stay with the system's libc. Sets mote_musl to the interface target, or to nothing where musl or clang is missing,
# and mote_musl_sources to what the program needs beside.
set(mote_musl "")
set(mote_musl_sources "")
set(musl_triple ${CMAKE_SYSTEM_PROCESSOR}-linux-musl)
set(musl_include /usr/include/${musl_triple})
set(musl_lib /usr/lib/${musl_triple})
if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang" OR NOT EXISTS ${musl_lib}/rcrt1.o OR NOT EXISTS ${musl_include}/stdio.h)
  message(STATUS "no musl for ${musl_triple} or no clang: mote is linked statically with the system's libc")
  return()
endif()

# The kernel's own headers, and nothing else of the system's libc, beside musl's.
set(kernel_headers ${CMAKE_BINARY_DIR}/kernel-headers)
file(MAKE_DIRECTORY ${kernel_headers})
foreach(folder IN ITEMS linux asm-generic)
  file(CREATE_LINK /usr/include/${folder} ${kernel_headers}/${folder} SYMBOLIC)
endforeach()
file(CREATE_LINK /usr/include/${CMAKE_C_LIBRARY_ARCHITECTURE}/asm ${kernel_headers}/asm SYMBOLIC)

# clang's helper functions for 128-bit arithmetic and the like.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-libgcc-file-name OUTPUT_VARIABLE libgcc OUTPUT_STRIP_TRAILING_WHITESPACE)

add_library(mote_musl INTERFACE)
# A few of musl's fields are narrower than glibc's, msg_iovlen for one; the build against the system's libc sees what is truly cut off.
target_compile_options(mote_musl INTERFACE -Wno-shorten-64-to-32 --target=${musl_triple} -nostdlibinc "SHELL:-isystem ${musl_include}" "SHELL:-isystem ${kernel_headers}" -fPIE)
target_link_options(mote_musl INTERFACE --target=${musl_triple} -static-pie -nostdlib ${musl_lib}/rcrt1.o ${musl_lib}/crti.o -L${musl_lib})
target_link_libraries(mote_musl INTERFACE -lc ${libgcc} -lc ${musl_lib}/crtn.o)

# lld packs relative relocations and keeps one of several equal functions; musl_start.c unpacks what musl before 1.2.4 cannot.
string(REGEX MATCH "^[0-9]+" clang_major ${CMAKE_C_COMPILER_VERSION})
find_program(MOTE_LLD NAMES ld.lld-${clang_major} ld.lld)
mark_as_advanced(MOTE_LLD)
set(mote_musl_sources ${CMAKE_SOURCE_DIR}/src/os/musl_memory.c)
set_source_files_properties(${mote_musl_sources} PROPERTIES COMPILE_OPTIONS "-O2;-fno-builtin")
if(MOTE_LLD AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|aarch64)$")
  list(APPEND mote_musl_sources ${CMAKE_SOURCE_DIR}/src/os/musl_start.c)
  target_link_options(mote_musl INTERFACE --ld-path=${MOTE_LLD} -Wl,-e,mote__musl_start -Wl,--pack-dyn-relocs=relr -Wl,--icf=all -Wl,-O2)
endif()
set(mote_musl mote_musl)
