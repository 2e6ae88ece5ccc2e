#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a context and closes it, in C. */
int context_in_c(void);

#ifdef __cplusplus
}
#endif
