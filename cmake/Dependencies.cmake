# Every library is a Debian 12 package (scripts/setup.sh installs them); LiteRT
# itself is loaded at run time (src/runtime) and is no build dependency.
find_package(Threads REQUIRED)
find_program(FLATC flatc REQUIRED)
if(SEALITE_RUN_ONLY)
  # For another processor or the browser: headers alone, which are every machine's (scripts/cross.sh).
  add_library(run_headers INTERFACE)
  target_include_directories(run_headers SYSTEM INTERFACE ${SEALITE_HEADERS})
  add_library(fmt_headers ALIAS run_headers)
  add_library(nlohmann_json::nlohmann_json ALIAS run_headers)
  return()
endif()
find_package(PkgConfig REQUIRED)
find_package(fmt 9 REQUIRED)
# Its headers alone: src/base/format.cc compiles what they declare.
add_library(fmt_headers INTERFACE)
target_include_directories(fmt_headers SYSTEM INTERFACE $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(ZLIB REQUIRED)
pkg_check_modules(vips REQUIRED IMPORTED_TARGET vips>=8.14 gmodule-no-export-2.0)
pkg_check_modules(hwy REQUIRED IMPORTED_TARGET libhwy)
