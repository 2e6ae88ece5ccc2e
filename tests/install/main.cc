#include <iostream>

#include "sealite/sealite.h"

int main() {
  std::cout << sealite::version() << '\n';
  return 0;
}
