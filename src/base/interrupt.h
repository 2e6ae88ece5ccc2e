#pragma once

namespace sealite {

/// Makes SIGINT and SIGTERM set a flag instead of ending the process; a second one ends it at once. For
/// programs: the library never installs handlers by itself.
void catch_interrupts();

/// Throws kInterrupted once a caught signal has arrived. Long loops call it between blocks of work.
void check_interrupt();

}  // namespace sealite
