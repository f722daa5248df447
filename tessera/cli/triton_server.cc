#include "tessera/cli/triton_server.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tessera/cli/http.h"

namespace tessera::cli {
namespace {

using nlohmann::json;

// A server that listens everywhere is asked over the loopback.
std::string AskAddress(const std::string& address) {
  return address == "0.0.0.0" ? "127.0.0.1" : address;
}

}  // namespace

std::vector<std::string> ServerCommand(const ServerOptions& options) {
  std::vector<std::string> command{options.program.string(),
                                   "--model-repository=" + options.repository.string(),
                                   "--backend-directory=" + options.backends.string(),
                                   "--exit-on-error=false",
                                   "--strict-readiness=false",
                                   fmt::format("--allow-gpu-metrics={}", options.gpu_metrics),
                                   fmt::format("--log-info={}", options.verbose)};
  for (auto [name, port] : {std::pair("http", options.http_port), std::pair("grpc", options.grpc_port),
                            std::pair("metrics", options.metrics_port)}) {
    command.push_back(fmt::format("--{}-address={}", name, options.address));
    command.push_back(fmt::format("--{}-port={}", name, port));
  }
  command.insert(command.end(), options.extra.begin(), options.extra.end());
  return command;
}

Result<std::vector<ModelState>> ParseIndex(const std::string& body) {
  const json index = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!index.is_array()) return Fail(Code::kUnavailable, "the server's index of models is not a JSON list");
  std::vector<ModelState> models;
  for (const json& entry : index) {
    if (!entry.is_object() || !entry.contains("name")) {
      return Fail(Code::kUnavailable, "the server's index has an entry without a name");
    }
    models.push_back({entry.value("name", ""), entry.value("version", ""), entry.value("state", ""),
                      entry.value("reason", "")});
  }
  return models;
}

Result<std::vector<ModelState>> AskForModels(const ServerOptions& options) {
  TRY_ASSIGN(const HttpAnswer answer, HttpRequest(AskAddress(options.address), options.http_port, "POST",
                                                  "/v2/repository/index", std::chrono::seconds(5)));
  if (answer.status != 200) return Fail(Code::kUnavailable, "the server answers {}", answer.status);
  return ParseIndex(answer.body);
}

}  // namespace tessera::cli
