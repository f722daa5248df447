// A process that this one starts, minds and ends with.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/result.h"

namespace tessera::cli {

// While it lives, SIGINT, SIGTERM and SIGCHLD wait for Next instead of interrupting this thread and those it
// starts.
class SignalQueue {
 public:
  SignalQueue();
  ~SignalQueue();
  SignalQueue(const SignalQueue&) = delete;
  SignalQueue& operator=(const SignalQueue&) = delete;

  // The next signal; 0 when none came within `limit`.
  int Next(std::chrono::milliseconds limit);
};

// A child in a process group of its own, so that a terminal's Ctrl-C reaches only this process, which passes
// it on. The kernel kills the child when the thread that started it ends, however it ends.
class ChildProcess {
 public:
  // Where the child's standard output and error go: both to this process's standard error, or nowhere.
  enum class Output { kToStandardError, kNone };

  // Runs `command` (an absolute path, then arguments) in this process's environment, where those of
  // `environment` ("NAME=value") take the place of what they name.
  // Errors: kUnavailable (fork), kNotFound (cannot be executed).
  static Result<ChildProcess> Start(const std::vector<std::string>& command,
                                    Output output = Output::kToStandardError,
                                    const std::vector<std::string>& environment = {});
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();  // kills it if it still runs

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // Its exit code once it has ended (128 + n when signal n ended it), else nothing.
  std::optional<int> TryWait();

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
  std::optional<int> code_;
};

}  // namespace tessera::cli
