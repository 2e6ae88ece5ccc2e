# Every library is a Debian 12 package (scripts/setup.sh installs them); LiteRT
# itself is loaded at run time (src/runtime) and is no build dependency.
find_package(PkgConfig REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(Threads REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(ZLIB REQUIRED)
pkg_check_modules(vips REQUIRED IMPORTED_TARGET vips>=8.14 gmodule-no-export-2.0)
pkg_check_modules(hwy REQUIRED IMPORTED_TARGET libhwy)
find_program(FLATC flatc REQUIRED)
