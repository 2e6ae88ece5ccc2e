# What a wheel may need of the machine that it is installed on is little (manylinux): so libvips is loaded at run time
# (python/late_vips), zlib is linked statically, and libyaml-cpp and libhwy, of which Debian has no archive for modules,
# are put into the wheel by auditwheel.
set(ZLIB_USE_STATIC_LIBS ON)
pkg_check_modules(vips REQUIRED vips>=8.14 gmodule-no-export-2.0)
add_library(PkgConfig::vips INTERFACE IMPORTED GLOBAL)
set_target_properties(PkgConfig::vips PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "${vips_INCLUDE_DIRS}" INTERFACE_COMPILE_OPTIONS "${vips_CFLAGS_OTHER}"
  INTERFACE_LINK_LIBRARIES late_vips)
