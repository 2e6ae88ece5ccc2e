// A function of each name that goes on to where its pointer says. In assembly, since most of them take any number of
// arguments and only a jump hands these on.
#if defined(__x86_64__)
#define GO_ON(name) jmp *late_vips_##name(%rip)
#elif defined(__aarch64__)
#define GO_ON(name) adrp x16, late_vips_##name; ldr x16, [x16, :lo12:late_vips_##name]; br x16
#else
#error "no trampolines for this processor"
#endif

#define LATE(name)                        \
  .text;                                  \
  .globl name;                            \
  .hidden name;                           \
  .type name, %function;                  \
  .balign 16;                             \
  name: GO_ON(name);                      \
  .size name, . - name;                   \
  .data;                                  \
  .globl late_vips_##name;                \
  .hidden late_vips_##name;               \
  .type late_vips_##name, %object;        \
  .balign 8;                              \
  late_vips_##name: .quad late_vips_not_loaded; \
  .size late_vips_##name, 8;
#include "functions.inc"

.section .note.GNU-stack, "", %progbits
