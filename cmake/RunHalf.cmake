# The run half by itself, with programs that read and mark raw pixels: for another processor or the browser, where the libraries
# of the rest are not (scripts/cross.sh).
target_link_libraries(sealite_base PUBLIC $<BUILD_INTERFACE:fmt_headers> Threads::Threads)
target_link_libraries(sealite_runtime PRIVATE ${CMAKE_DL_LIBS})
target_link_libraries(sealite_model_file PRIVATE nlohmann_json::nlohmann_json)
include(cmake/FlatbuffersSchema.cmake)
sealite_schema(sealite_model_file src/model_file/schema.fbs)
set(programs mark_pixels)
# A page has LiteRT as a module of its own, and no dlopen: there the runtime is compiled, and nothing links it.
if(NOT EMSCRIPTEN)
  list(APPEND programs read_pixels)
endif()
foreach(program IN LISTS programs)
  add_executable(${program} tests/run_half/${program}.cc)
  target_link_libraries(${program} PRIVATE sealite_watermark)
  sealite_warnings(${program})
endforeach()
