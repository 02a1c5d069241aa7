# packaging.cmake - what `cmake --install` puts where: headers, libraries, find_package(mote), pkg-config files, the command.
if(NOT base_sources)
  return()
endif()
include(CMakePackageConfigHelpers)

set(installed mote_base mote_static mote_shared)
set_target_properties(mote_base PROPERTIES EXPORT_NAME base)
set_target_properties(mote_static PROPERTIES EXPORT_NAME static)
set_target_properties(mote_shared PROPERTIES EXPORT_NAME mote)
if(TARGET mote_wasi1)
  list(APPEND installed mote_wasi1)
  set_target_properties(mote_wasi1 PROPERTIES EXPORT_NAME wasi1)
endif()
install(TARGETS ${installed} EXPORT mote-targets)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/mote DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mote)
install(EXPORT mote-targets NAMESPACE mote:: DESTINATION ${package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/mote-config.cmake.in ${CMAKE_BINARY_DIR}/mote-config.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/mote-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/mote-config.cmake ${CMAKE_BINARY_DIR}/mote-config-version.cmake DESTINATION ${package_dir})

# mote_pkgconfig(NAME DESCRIPTION LIBS REQUIRES): one .pc file.
function(mote_pkgconfig name description libs requires)
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/mote.pc.in ${CMAKE_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
mote_pkgconfig(mote "WebAssembly engine" "-lmote" "")
if(TARGET mote_wasi1)
  mote_pkgconfig(mote-wasi1 "WASI preview 1 for mote" "-lmote-wasi1 -lmote -lmote-base" "mote")
endif()

if(TARGET mote_command)
  install(TARGETS mote_command)
endif()
