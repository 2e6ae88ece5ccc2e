# bin/sealite, the public headers, the static libraries with a CMake package (find_package(Sealite), target
# Sealite::sealite), and the LiteRT library that scripts/setup.sh fetched, as lib/sealite/libLiteRt.so.
include(CMakePackageConfigHelpers)

# The only target that users name. The folders' libraries come along behind it.
add_library(sealite_sdk INTERFACE)
set_target_properties(sealite_sdk PROPERTIES EXPORT_NAME sealite)
target_link_libraries(sealite_sdk INTERFACE sealite_api)
target_compile_features(sealite_sdk INTERFACE cxx_std_20)  # what the public headers need
add_library(Sealite::sealite ALIAS sealite_sdk)

set(sealite_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Sealite)
get_property(sealite_folders GLOBAL PROPERTY SEALITE_FOLDERS)
install(TARGETS sealite RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS sealite_sdk ${sealite_folders} EXPORT SealiteTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT SealiteTargets NAMESPACE Sealite:: DESTINATION ${sealite_package_dir})
install(DIRECTORY include/sealite DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

configure_package_config_file(cmake/SealiteConfig.cmake.in ${CMAKE_BINARY_DIR}/SealiteConfig.cmake
  INSTALL_DESTINATION ${sealite_package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/SealiteConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/SealiteConfig.cmake ${CMAKE_BINARY_DIR}/SealiteConfigVersion.cmake
        DESTINATION ${sealite_package_dir})

# Looked up when installing, not when configuring: set-up may come in between. Always lib/sealite, next to bin/ and
# whatever the library folder's name: sealite looks there.
install(CODE "set(litert \"${PROJECT_SOURCE_DIR}/build/litert\")
  set(litert_destination \"\${CMAKE_INSTALL_PREFIX}/lib/sealite\")
  if(EXISTS \"\${litert}/libLiteRt.so\")
    file(INSTALL \"\${litert}/libLiteRt.so\" DESTINATION \"\${litert_destination}\")
    file(INSTALL \"\${litert}/LICENSE\" DESTINATION \"\${litert_destination}\" RENAME LICENSE.LiteRT)
  else()
    message(WARNING \"no \${litert}/libLiteRt.so: run scripts/setup.sh, or put one at \${litert_destination}\")
  endif()")
