# The run half by itself, with a program that reads raw pixels: for another processor or the browser, where the libraries
# of the rest are not (scripts/cross.sh).
target_link_libraries(sealite_base PUBLIC fmt::fmt Threads::Threads)
target_link_libraries(sealite_runtime PRIVATE ${CMAKE_DL_LIBS})
target_link_libraries(sealite_model_file PRIVATE nlohmann_json::nlohmann_json)
include(cmake/FlatbuffersSchema.cmake)
sealite_schema(sealite_model_file src/model_file/schema.fbs)
add_executable(read_pixels tests/run_half/read_pixels.cc)
target_link_libraries(read_pixels PRIVATE sealite_watermark)
sealite_warnings(read_pixels)
