# sealite_schema(TARGET FILE.fbs): generates FILE_generated.h for TARGET and what links it.
function(sealite_schema target schema)
  get_filename_component(stem ${schema} NAME_WE)
  set(out ${CMAKE_BINARY_DIR}/generated/${stem}_generated.h)
  add_custom_command(OUTPUT ${out}
    COMMAND ${FLATC} --cpp --cpp-std c++17 --scoped-enums --gen-object-api -o ${CMAKE_BINARY_DIR}/generated
            ${PROJECT_SOURCE_DIR}/${schema}
    DEPENDS ${PROJECT_SOURCE_DIR}/${schema} VERBATIM)
  target_sources(${target} PRIVATE ${out})
  target_include_directories(${target} SYSTEM PUBLIC
                             $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/generated>)
endfunction()
