#include "tessera/base/unfinished.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>

namespace tessera {
namespace {

std::atomic<int> threads{0};

// Not the log: what it writes to may be gone by now.
void EndNow(int status, void*) {
  if (Unfinished::count() == 0) return;
  constexpr char kText[] = "tessera: threads have not ended; the process ends without waiting for them\n";
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

void ExitDespiteSlowStep() {
  using std::chrono::steady_clock;
  static std::atomic<steady_clock::duration> next{steady_clock::duration::min()};
  const steady_clock::duration now = steady_clock::now().time_since_epoch();
  steady_clock::duration due = next.load();
  if (now >= due && next.compare_exchange_strong(due, now + std::chrono::minutes(1))) ExitDespiteUnfinished();
}

}  // namespace tessera
