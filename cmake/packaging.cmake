# packaging.cmake - what `cmake --install` puts where.
if(base_sources)
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/mote DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
endif()
