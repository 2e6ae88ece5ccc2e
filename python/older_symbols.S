// gcc 12's libstdc++ has a second version of this function, GLIBCXX_3.4.30, that others' Linux of the wheel's age lacks;
// the first does the same.
#define WAIT _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE
.text
.symver sealite_older_wait, _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE@GLIBCXX_3.4.11
.globl WAIT
.hidden WAIT
.type WAIT, %function
WAIT:
#if defined(__x86_64__)
  jmp sealite_older_wait@PLT
#elif defined(__aarch64__)
  b sealite_older_wait
#endif
.size WAIT, . - WAIT
.section .note.GNU-stack, "", %progbits
