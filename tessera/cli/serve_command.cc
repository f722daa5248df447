#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tessera/cli/commands.h"
#include "tessera/cli/gpu_probe.h"
#include "tessera/cli/http.h"
#include "tessera/cli/installation.h"
#include "tessera/cli/progress.h"
#include "tessera/cli/triton_server.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kServeAbout =
    "Serves a model repository: starts Triton Inference Server with Tessera's backend, waits until the "
    "models are "
    "loaded, prints where to send requests, and stays until Ctrl-C. A model that cannot be loaded is named "
    "with the "
    "reason; the others are served. Listens on this machine only, unless --address says otherwise.";
constexpr const char* kServeExample =
    "Examples:\n"
    "  tessera serve repo\n"
    "  tessera serve repo --http-port 0 --grpc-port 0 --metrics-port 0 --json      any free ports\n"
    "  tessera serve repo -- --log-verbose=1                                       arguments for "
    "tritonserver";

struct ServeOptions {
  ServerOptions server;
  std::string repository;
  std::string triton;
  std::string backends;
  bool json = false;
};

Result<void> CheckRepository(const fs::path& repository) {
  std::error_code error;
  if (!fs::is_directory(repository, error)) {
    return Fail(Code::kNotFound, "no model repository '{}'", repository.string());
  }
  for (const auto& entry : fs::directory_iterator(repository, error)) {
    if (entry.is_directory(error) && !entry.path().filename().string().starts_with(".")) return {};
  }
  return Fail(Code::kNotFound, "the model repository '{}' holds no model", repository.string());
}

// Ports that nobody listens on. Asked before the server starts, so that its answers are not another one's.
Result<void> ChoosePorts(ServerOptions& server) {
  for (int* port : {&server.http_port, &server.grpc_port, &server.metrics_port}) {
    TRY_ASSIGN(*port, FreePort(server.address, *port));
  }
  return {};
}

void PrintModels(const std::vector<ModelState>& models) {
  for (const ModelState& model : models) {
    const std::string reason = model.reason.empty() ? "" : ": " + model.reason;
    fmt::print("  model    {} {} {}{}\n", model.name, model.version, model.state, reason);
  }
}

void PrintEndpoints(const ServerOptions& server) {
  fmt::print("  HTTP     http://{}:{}\n", server.address, server.http_port);
  fmt::print("  gRPC     {}:{}\n", server.address, server.grpc_port);
  fmt::print("  metrics  http://{}:{}/metrics\n", server.address, server.metrics_port);
  fmt::print("Ready; Ctrl-C ends the server.\n");
  std::fflush(stdout);
}

void PrintJson(const ServerOptions& server, const std::vector<ModelState>& models, pid_t pid) {
  ordered_json list = ordered_json::array();
  for (const ModelState& model : models) {
    list.push_back(
        {{"name", model.name}, {"version", model.version}, {"state", model.state}, {"reason", model.reason}});
  }
  const ordered_json object{{"http", fmt::format("{}:{}", server.address, server.http_port)},
                            {"grpc", fmt::format("{}:{}", server.address, server.grpc_port)},
                            {"metrics", fmt::format("{}:{}", server.address, server.metrics_port)},
                            {"pid", pid},
                            {"models", list}};
  fmt::print("{}\n", object.dump());
  std::fflush(stdout);
}

// Waits until the server answers. Nothing when it was told to stop before.
Result<std::vector<ModelState>> WaitUntilReady(const ServerOptions& server, ChildProcess& child,
                                               SignalQueue& signals, bool json) {
  ProgressBar bar(!json);
  while (true) {
    bar.Show("loading models", 0);
    auto models = AskForModels(server);
    if (models) return models;
    const int signal = signals.Next(std::chrono::milliseconds(50));
    if (signal == SIGINT || signal == SIGTERM) child.Signal(SIGTERM);
    if (auto code = child.TryWait()) {
      return Fail(Code::kUnavailable, "tritonserver ended with {} before it was ready", *code);
    }
  }
}

// Passes signals on until the server has ended.
int Mind(ChildProcess& child, SignalQueue& signals) {
  while (true) {
    if (auto code = child.TryWait()) return *code;
    const int signal = signals.Next(std::chrono::hours(1));
    if (signal == SIGINT || signal == SIGTERM) child.Signal(SIGTERM);  // both end it in good order
  }
}

Result<int> Serve(ServeOptions options) {
  ServerOptions& server = options.server;
  server.repository = options.repository;
  TRY(CheckRepository(server.repository));
  TRY_ASSIGN(server.program, FindTritonServer(options.triton));
  TRY_ASSIGN(server.backends, FindBackends(options.backends));
  TRY(ChoosePorts(server));
  server.gpu_metrics = ProbeGpus().has_value();
  SignalQueue signals;  // before the child: no signal is lost
  TRY_ASSIGN(ChildProcess child, ChildProcess::Start(ServerCommand(server)));
  TRY_ASSIGN(const std::vector<ModelState> models, WaitUntilReady(server, child, signals, options.json));
  options.json ? PrintJson(server, models, child.pid()) : PrintModels(models);
  const bool any =
      std::any_of(models.begin(), models.end(), [](const auto& m) { return m.state == "READY"; });
  if (any && !options.json) PrintEndpoints(server);
  if (any) return Mind(child, signals);
  fmt::print(stderr, "tessera: no model of '{}' is ready\n", options.repository);
  child.Signal(SIGTERM);
  Mind(child, signals);
  return ToInt(ExitCode::kCheckFailed);
}

}  // namespace

void AddServeCommand(Program& program) {
  auto options = std::make_shared<ServeOptions>();
  ServerOptions& server = options->server;
  Command command = program.Add("serve", kServeAbout, kServeExample, [options] { return Serve(*options); });
  command.Add("REPO", options->repository, "The model repository").Required();
  command.Add("--http-port", server.http_port, "0 = any free port").ShowDefault();
  command.Add("--grpc-port", server.grpc_port, "0 = any free port").ShowDefault();
  command.Add("--metrics-port", server.metrics_port, "0 = any free port").ShowDefault();
  command.Add("--address", server.address, "Where to listen; 0.0.0.0 = on every network").ShowDefault();
  command.Add("--triton", options->triton, "tritonserver, or the directory it is installed in");
  command.Add("--backends", options->backends, "Directory of backends, with tensorrt/libtriton_tensorrt.so");
  command.Flag("--verbose", server.verbose, "Show what the server logs, not only warnings");
  command.Flag("--json", options->json, "Print one line of JSON once ready");
  command.Add("TRITON_ARGS", server.extra, "Behind --: further arguments for tritonserver");
}

}  // namespace tessera::cli
