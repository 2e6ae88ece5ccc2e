# sealite_folder(NAME LINKS other...): src/NAME/*.cc as the static library
# sealite_NAME, which may include only its own folder, the linked ones and base.
function(sealite_folder name)
  cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  add_library(sealite_${name} STATIC ${sources})
  set_target_properties(sealite_${name} PROPERTIES LINKER_LANGUAGE CXX EXPORT_NAME ${name})
  target_include_directories(sealite_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  foreach(other IN LISTS arg_LINKS)
    target_link_libraries(sealite_${name} PUBLIC sealite_${other})
  endforeach()
  target_compile_definitions(sealite_${name} PRIVATE SEALITE_VERSION="${PROJECT_VERSION}")
  sealite_warnings(sealite_${name})
  # One compilation for a whole folder: its headers are read once, not once a file (half of all processor time).
  set_target_properties(sealite_${name} PROPERTIES UNITY_BUILD ${SEALITE_UNITY} UNITY_BUILD_BATCH_SIZE 100)
  set_property(GLOBAL APPEND PROPERTY SEALITE_FOLDERS sealite_${name})
endfunction()
