#include "tessera/cli/triton_probe.h"

#include <chrono>
#include <csignal>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "tessera/cli/http.h"
#include "tessera/cli/scratch_directory.h"
#include "tessera/cli/triton_server.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// The version that the server at `port` tells; an error while it does not answer.
Result<std::string> AskVersion(const ServerOptions& options) {
  TRY_ASSIGN(const HttpAnswer answer,
             HttpRequest(options.address, options.http_port, "GET", "/v2", std::chrono::seconds(2)));
  const auto about = nlohmann::json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  if (answer.status != 200 || !about.is_object())
    return Fail(Code::kUnavailable, "it answers {}", answer.status);
  return about.value("version", "unknown");
}

}  // namespace

Result<std::string> ProbeTritonVersion(const fs::path& program) {
  TRY_ASSIGN(const ScratchDirectory empty, ScratchDirectory::Create());
  ServerOptions options;
  options.program = program;
  options.backends = empty.path();
  options.repository = empty.path();
  for (int* port : {&options.http_port, &options.grpc_port, &options.metrics_port}) {
    TRY_ASSIGN(*port, FreePort(options.address, 0));
  }
  SignalQueue signals;
  TRY_ASSIGN(ChildProcess child, ChildProcess::Start(ServerCommand(options), ChildProcess::Output::kNone));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < end) {
    auto version = AskVersion(options);
    if (version) return version;
    if (auto code = child.TryWait())
      return Fail(Code::kUnavailable, "{} ends with {}", program.string(), *code);
    const int signal = signals.Next(milliseconds(20));
    if (signal == SIGINT || signal == SIGTERM) return Fail(Code::kCancelled, "interrupted");
  }
  return Fail(Code::kDeadline, "{} does not start within 20 s", program.string());
}

}  // namespace tessera::cli
