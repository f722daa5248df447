#include "tests/nvinfer_standin/fault.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

namespace tessera::standin {

namespace {

std::string AskedText() {
  const char* text = std::getenv("TESSERA_STANDIN_FAULT");
  if (text == nullptr || *text != '@') return text == nullptr ? "" : text;
  std::ifstream file(text + 1);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<Fault> Parse(const std::string& text) {
  static const std::map<std::string, Fault::Kind> kinds = {
      {"fail", Fault::Kind::kFail},   {"skip", Fault::Kind::kSkip},
      {"hang", Fault::Kind::kHang},   {"shapes", Fault::Kind::kShapes},
      {"stall", Fault::Kind::kStall}, {"communicator", Fault::Kind::kCommunicator}};
  std::istringstream words(text);
  std::string word;
  Fault fault;
  std::getline(words, word, ':');
  auto kind = kinds.find(word);
  if (kind == kinds.end()) return std::nullopt;
  fault.kind = kind->second;
  while (std::getline(words, word, ':')) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) continue;
    const std::string key = word.substr(0, equals);
    const std::string value = word.substr(equals + 1);
    if (key == "rank") fault.rank = std::atoi(value.c_str());
    if (key == "call") fault.call = std::atoi(value.c_str());
    if (key == "seconds") fault.seconds = std::atoi(value.c_str());
    if (key == "model") fault.model = value;
  }
  return fault;
}

}  // namespace

std::optional<Fault> AskedFault(const PlanFile& plan) {
  std::optional<Fault> asked = Parse(AskedText());
  if (!asked || asked->rank != plan.rank) return std::nullopt;
  if (plan.onnx.string().find(asked->model) == std::string::npos) return std::nullopt;
  return asked;
}

bool WantsChildCommunicator() {
  const char* text = std::getenv("TESSERA_STANDIN_CHILD");
  return text != nullptr && *text == '1';
}

bool FaultAt(Fault::Kind kind, const PlanFile& plan, int call) {
  const std::optional<Fault> asked = AskedFault(plan);
  return asked && asked->kind == kind && (asked->call == call || asked->call < 0);
}

}  // namespace tessera::standin
