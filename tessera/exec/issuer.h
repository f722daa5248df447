// A thread that issues steps for callers, which would hang with it where a device's driver does.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "tessera/base/result.h"

namespace tessera::exec {

// Not thread-safe.
class Issuer {
 public:
  using Work = std::function<void()>;

  // The thread looks for work for `awake_for` before it sleeps.
  explicit Issuer(std::chrono::microseconds awake_for) : awake_for_(awake_for) {}
  ~Issuer();  // waits for what was given
  Issuer(const Issuer&) = delete;
  Issuer& operator=(const Issuer&) = delete;

  // Has the thread do `work`; what was given before is done, but for its last lines, or was given up. The
  // first call starts the thread. Errors: kUnavailable (the system gives none), nothing is done.
  Result<void> Give(Work work);
  // The thread hangs: it is left behind, with what its work keeps alive.
  void GiveUp();

 private:
  class Mailbox;
  const std::chrono::microseconds awake_for_;
  std::shared_ptr<Mailbox> mailbox_;
  std::thread thread_;
};

}  // namespace tessera::exec
