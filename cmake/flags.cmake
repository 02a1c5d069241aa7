# flags.cmake - warnings, sanitizers and definitions, gathered in one interface target that every target of ours links.
add_library(mote_flags INTERFACE)
target_compile_options(mote_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wundef -Wpointer-arith
  -Wcast-qual -Wvla -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough -Wnull-dereference
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_compile_definitions(mote_flags INTERFACE MOTE_VERSION="${PROJECT_VERSION}")
target_link_libraries(mote_flags INTERFACE Threads::Threads m)

if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
  target_compile_options(mote_flags INTERFACE -Wconversion -Wno-sign-conversion) # gcc's does not see that x % 4 is small
elseif(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # gcc 12 sees across inlining what cannot happen, and takes a cut-off text, which snprintf is for, for a mistake.
  target_compile_options(mote_flags INTERFACE -Wno-null-dereference -Wno-stringop-overflow -Wno-array-bounds -Wno-format-truncation
    -Wno-maybe-uninitialized) # the last: gcc does not see that a failed status goes with what was not set
endif()
# What only asserts use is unused where they vanish; preset dev sees what nobody uses.
target_compile_options(mote_flags INTERFACE
  "$<$<CONFIG:Release>:-Wno-unused-function;-Wno-unused-variable;-Wno-unused-but-set-variable>")
if(MOTE_WERROR)
  target_compile_options(mote_flags INTERFACE -Werror)
endif()
if(MOTE_HOSTILE)
  target_compile_definitions(mote_flags INTERFACE MOTE_HOSTILE=1)
endif()
if(MOTE_DISPATCH STREQUAL "loop")
  target_compile_definitions(mote_flags INTERFACE MOTE_DISPATCH_LOOP=1)
endif()
if(MOTE_SANITIZE)
  set(sanitize -fsanitize=${MOTE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(mote_flags INTERFACE ${sanitize})
  target_link_options(mote_flags INTERFACE ${sanitize})
endif()
if(MOTE_FUZZ AND MOTE_SANITIZE) # without sanitizers it is the coverage build: its instruments are others
  target_compile_options(mote_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
