// A Triton server as a child process.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/cli/child_process.h"

namespace tessera::cli {

struct ServerOptions {
  std::filesystem::path program;
  std::filesystem::path backends;
  std::filesystem::path repository;
  std::string address = "127.0.0.1";
  int http_port = 8000;  // not 0: see FreePort
  int grpc_port = 8001;
  int metrics_port = 8002;
  bool gpu_metrics = false;        // without a GPU the server would complain of it
  bool verbose = false;            // the server's own information messages too
  std::vector<std::string> extra;  // further arguments, as they are
};

// What the server says of a model.
struct ModelState {
  std::string name;
  std::string version;
  std::string state;   // "READY", "UNAVAILABLE", ..
  std::string reason;  // why it is not ready
};

// The command line: a model that cannot be loaded does not end the server.
std::vector<std::string> ServerCommand(const ServerOptions& options);

// The models of the answer to /v2/repository/index. Errors: kUnavailable (not such an answer).
Result<std::vector<ModelState>> ParseIndex(const std::string& body);

// Whether the server answers, and what became of its models. Errors: kUnavailable (it does not answer yet).
Result<std::vector<ModelState>> AskForModels(const ServerOptions& options);

}  // namespace tessera::cli
