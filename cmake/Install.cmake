# bin/sealite, the public headers, libsealite.so with a pkg-config file, the static libraries, a CMake package for all of
# them, and the LiteRT library that scripts/setup.sh fetched, as lib/sealite/libLiteRt.so.
include(CMakePackageConfigHelpers)

# The targets that users name; the folders' libraries come along behind them. Sealite::sealite is the whole C++
# interface, Sealite::run what marks and reads pixels, Sealite::c the shared library (cmake/SharedLibrary.cmake).
add_library(sealite_sdk INTERFACE)
set_target_properties(sealite_sdk PROPERTIES EXPORT_NAME sealite)
target_link_libraries(sealite_sdk INTERFACE sealite_api)
target_compile_features(sealite_sdk INTERFACE cxx_std_20)  # what the public headers need
add_library(Sealite::sealite ALIAS sealite_sdk)
add_library(sealite_run INTERFACE)
set_target_properties(sealite_run PROPERTIES EXPORT_NAME run)
target_link_libraries(sealite_run INTERFACE sealite_watermark)
target_compile_features(sealite_run INTERFACE cxx_std_20)
add_library(Sealite::run ALIAS sealite_run)

# An export set for each component of the package: who asks for one needs no library of the others.
set(sealite_run_folders sealite_base sealite_graph sealite_model_file sealite_runtime sealite_pixels sealite_watermark)
get_property(sealite_other_folders GLOBAL PROPERTY SEALITE_FOLDERS)
list(REMOVE_ITEM sealite_other_folders ${sealite_run_folders} sealite_c)
set(sealite_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Sealite)
install(TARGETS sealite RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS sealite_sdk ${sealite_other_folders} EXPORT SealiteTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS sealite_run ${sealite_run_folders} EXPORT SealiteRunTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS sealite_shared EXPORT SealiteCTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(set SealiteTargets SealiteRunTargets SealiteCTargets)
  install(EXPORT ${set} NAMESPACE Sealite:: DESTINATION ${sealite_package_dir})
endforeach()
install(FILES ${CMAKE_BINARY_DIR}/sealite.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
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
