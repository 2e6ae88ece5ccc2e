# Warnings, sanitizers and coverage for one of our own targets.
function(sealite_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wconversion -Wpedantic)
  # The same bytes wherever it is built (docs/security.md).
  target_compile_options(${target} PRIVATE -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
  if(SEALITE_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # In a folder compiled as one file the first has no sense; the second is gcc 12's own defect (PR 105651).
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage -Wno-restrict)
  endif()
  if(SEALITE_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(SEALITE_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${SEALITE_SANITIZE} -fno-omit-frame-pointer
                                             -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${SEALITE_SANITIZE})
  endif()
  if(SEALITE_COVERAGE)
    # Atomic counters: with plain ones, lines that several threads run are counted wrongly, down to numbers below 0.
    target_compile_options(${target} PRIVATE --coverage -fprofile-update=atomic)
    target_link_options(${target} PUBLIC --coverage)
  endif()
endfunction()
