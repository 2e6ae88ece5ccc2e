# libsealite.so.0: the C interface (include/sealite/sealite.h, docs/c-api.md) with every folder that it needs inside.
set(SEALITE_ABI 0)
# The folder's objects and not its archive: what comes out of archives is hidden.
add_library(sealite_shared SHARED $<TARGET_OBJECTS:sealite_c>)
set_target_properties(sealite_shared PROPERTIES
  OUTPUT_NAME sealite EXPORT_NAME c LINKER_LANGUAGE CXX
  SOVERSION ${SEALITE_ABI} VERSION ${SEALITE_ABI}.${PROJECT_VERSION}
  LINK_DEPENDS ${PROJECT_SOURCE_DIR}/src/c/exports.map)
get_target_property(sealite_c_links sealite_c LINK_LIBRARIES)
target_link_libraries(sealite_shared PRIVATE ${sealite_c_links})
target_include_directories(sealite_shared INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_options(sealite_shared PRIVATE
  LINKER:--version-script=${PROJECT_SOURCE_DIR}/src/c/exports.map
  LINKER:--exclude-libs,ALL
  # LiteRT, which stays loaded, holds a stream of ours (src/runtime/litert_stderr.h).
  LINKER:-z,nodelete)
if(NOT SEALITE_SANITIZE)  # whose symbols are the program's
  target_link_options(sealite_shared PRIVATE LINKER:-z,defs)
endif()
add_library(Sealite::c ALIAS sealite_shared)

# Relative to itself, as the CMake package is: `cmake --install --prefix` may put it anywhere.
file(RELATIVE_PATH sealite_pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/sealite.pc @ONLY CONTENT [[
prefix=${pcfiledir}/@sealite_pc_prefix@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: sealite
Description: @PROJECT_DESCRIPTION@: the C interface
Version: @PROJECT_VERSION@
Libs: -L${libdir} -lsealite
Cflags: -I${includedir}
]])
