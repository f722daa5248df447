#include "tessera/build/rank_build.h"

#include <nlohmann/json.hpp>

#include "tessera/base/file.h"

namespace tessera::build {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Json ProfileJson(const plan::Profile& profile) {
  Json list = Json::array();
  for (const plan::InputRange& range : profile)
    list.push_back({range.input, range.least, range.usual, range.most});
  return list;
}

plan::Profile ProfileFrom(const Json& json) {
  plan::Profile profile;
  for (const Json& range : json) {
    profile.push_back({range.at(0).get<std::string>(), range.at(1).get<Shape>(), range.at(2).get<Shape>(),
                       range.at(3).get<Shape>()});
  }
  return profile;
}

// `read` makes a T of the file's JSON.
template <class T, class Read>
Result<T> ReadJson(const fs::path& file, Read read) {
  TRY_ASSIGN(const std::string text, ReadFile(file));
  try {
    return read(Json::parse(text));
  } catch (const Json::exception& error) {
    return Fail(Code::kInternal, "'{}': {}", file.string(), error.what());
  }
}

// Names in a model may be any bytes.
std::string Text(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<void> WriteRequest(const RankRequest& request, const fs::path& file) {
  Json profiles = Json::array();
  for (const plan::Profile& profile : request.profiles) profiles.push_back(ProfileJson(profile));
  return WriteFileAtomically(file, Text({{"model", request.model.string()},
                                         {"engine", request.engine.string()},
                                         {"libraries", request.libraries},
                                         {"compute_capabilities", request.compute_capabilities},
                                         {"tf32", request.tf32},
                                         {"profiles", profiles},
                                         {"timing_cache", request.timing_cache.string()},
                                         {"next_timing_cache", request.next_timing_cache.string()},
                                         {"verbose", request.verbose}}));
}

Result<RankRequest> ReadRequest(const fs::path& file) {
  return ReadJson<RankRequest>(file, [](const Json& json) {
    RankRequest request;
    request.model = json.at("model").get<std::string>();
    request.engine = json.at("engine").get<std::string>();
    request.libraries = json.at("libraries").get<std::vector<std::string>>();
    request.compute_capabilities = json.at("compute_capabilities").get<std::vector<int>>();
    request.tf32 = json.at("tf32").get<bool>();
    for (const Json& profile : json.at("profiles")) request.profiles.push_back(ProfileFrom(profile));
    request.timing_cache = json.at("timing_cache").get<std::string>();
    request.next_timing_cache = json.at("next_timing_cache").get<std::string>();
    request.verbose = json.at("verbose").get<bool>();
    return request;
  });
}

Result<void> WriteReport(const RankReport& report, const fs::path& file) {
  Json engine = Json::array();
  for (const plan::EngineCollective& c : report.engine) engine.push_back({c.name, c.kind, c.first_profile});
  return WriteFileAtomically(file, Text({{"error", report.error},
                                         {"version", report.version},
                                         {"compute_capabilities", report.compute_capabilities},
                                         {"network", report.network},
                                         {"engine", engine},
                                         {"layers_listed", report.layers_listed},
                                         {"timing_cache_error", report.timing_cache_error}}));
}

Result<RankReport> ReadReport(const fs::path& file) {
  return ReadJson<RankReport>(file, [](const Json& json) {
    RankReport report;
    report.error = json.at("error").get<std::string>();
    report.version = json.at("version").get<std::string>();
    report.compute_capabilities = json.at("compute_capabilities").get<std::vector<std::string>>();
    report.network = json.at("network").get<std::vector<std::string>>();
    for (const Json& c : json.at("engine")) {
      report.engine.push_back({c.at(0).get<std::string>(), c.at(1).get<std::string>(), c.at(2).get<bool>()});
    }
    report.layers_listed = json.at("layers_listed").get<bool>();
    report.timing_cache_error = json.at("timing_cache_error").get<std::string>();
    return report;
  });
}

}  // namespace tessera::build
