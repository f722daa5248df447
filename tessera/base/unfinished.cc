#include "tessera/base/unfinished.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace tessera {
namespace {

std::atomic<int> threads{0};

// Not the log: what it writes to may be gone by now.
void EndNow(int status, void*) {
  if (Unfinished::count() == 0) return;
  constexpr char kText[] = "tessera: threads are stuck; the process ends without waiting for them\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kText, sizeof kText - 1);
  _exit(status);
}

}  // namespace

Unfinished::Unfinished() noexcept {
  threads.fetch_add(1);
}

Unfinished::~Unfinished() {
  threads.fetch_sub(1);
}

int Unfinished::count() noexcept {
  return threads.load();
}

void ExitDespiteUnfinished() {
  // What is registered last runs first: before the destructors of all that has begun by now.
  (void)on_exit(EndNow, nullptr);
}

}  // namespace tessera
