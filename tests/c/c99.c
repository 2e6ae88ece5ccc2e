/* Compiled as C99 with every warning an error (tests/CMakeLists.txt): the header is plain C by itself. */
#include "sealite/sealite.h"

#include "c/c99.h"

int context_in_c(void) {
  sealite_context_options options = {0};
  options.struct_size = sizeof options;
  sealite_context* context = NULL;
  const int code = sealite_context_open(&options, &context);
  sealite_context_close(context);
  return code;
}
