#include "tessera/cli/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "tessera/base/posix.h"

namespace tessera::cli {
namespace {

sigset_t WatchedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&signals, signal);
  return signals;
}

// In the child, between fork and exec: only what is async-signal-safe. Tells an errno through `report` on
// failure.
[[noreturn]] void BecomeCommand(char* const* arguments, char* const* environment, pid_t parent, int output,
                                int report) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it ended before the line above
  const sigset_t signals = WatchedSignals();
  sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execve(arguments[0], arguments, environment);
  const int error = errno;
  (void)!write(report, &error, sizeof(error));
  _exit(127);
}

// As execve wants them; they live as long as `strings`.
std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Up to and with the '=' of "NAME=value".
std::string_view NameOf(std::string_view variable) {
  return variable.substr(0, variable.find('=') + 1);
}

std::vector<std::string> EnvironmentWith(std::vector<std::string> variables) {
  const size_t given = variables.size();
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view name = NameOf(*at);
    const bool replaced = std::any_of(variables.begin(), variables.begin() + static_cast<ptrdiff_t>(given),
                                      [&](const std::string& other) { return NameOf(other) == name; });
    if (!replaced) variables.emplace_back(*at);
  }
  return variables;
}

}  // namespace

SignalQueue::SignalQueue() {
  const sigset_t signals = WatchedSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

SignalQueue::~SignalQueue() {
  const sigset_t signals = WatchedSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

int SignalQueue::Next(std::chrono::milliseconds limit) {
  const sigset_t signals = WatchedSignals();
  const timespec time{limit.count() / 1000, (limit.count() % 1000) * 1'000'000};
  const int signal = sigtimedwait(&signals, nullptr, &time);
  return signal > 0 ? signal : 0;
}

Result<ChildProcess> ChildProcess::Start(const std::vector<std::string>& command, Output output,
                                         const std::vector<std::string>& environment) {
  const std::vector<char*> arguments = Pointers(command);
  const std::vector<std::string> variables = EnvironmentWith(environment);
  const std::vector<char*> variable_pointers = Pointers(variables);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Fail(Code::kUnavailable, "pipe: {}", std::strerror(errno));
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const UniqueFd nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
  const int target = output == Output::kNone ? nowhere.get() : STDERR_FILENO;
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return Fail(Code::kUnavailable, "fork: {}", std::strerror(errno));
  if (pid == 0) {
    BecomeCommand(arguments.data(), variable_pointers.data(), parent, target, write_end.get());
  }
  ChildProcess child(pid);
  write_end.Reset();
  int error = 0;  // a successful exec closes the pipe and nothing is read
  if (read(read_end.get(), &error, sizeof(error)) == sizeof(error)) {
    return Fail(Code::kNotFound, "cannot run '{}': {}", command.front(), std::strerror(error));
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), code_(other.code_) {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0 || TryWait()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void ChildProcess::Signal(int signal) const {
  if (!code_) kill(pid_, signal);
}

std::optional<int> ChildProcess::TryWait() {
  int status = 0;
  if (!code_ && waitpid(pid_, &status, WNOHANG) == pid_) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return code_;
}

}  // namespace tessera::cli
