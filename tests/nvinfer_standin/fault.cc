#include "tests/nvinfer_standin/fault.h"

#include <cstdlib>
#include <map>
#include <sstream>

namespace tessera::standin {

std::optional<Fault> AskedFault() {
  const char* text = std::getenv("TESSERA_STANDIN_FAULT");
  if (text == nullptr || *text == 0) return std::nullopt;
  static const std::map<std::string, Fault::Kind> kinds = {{"fail", Fault::Kind::kFail},
                                                           {"skip", Fault::Kind::kSkip},
                                                           {"hang", Fault::Kind::kHang},
                                                           {"stall", Fault::Kind::kStall},
                                                           {"communicator", Fault::Kind::kCommunicator}};
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
    const int value = std::atoi(word.c_str() + equals + 1);
    if (word.compare(0, equals, "rank") == 0) fault.rank = value;
    if (word.compare(0, equals, "call") == 0) fault.call = value;
  }
  return fault;
}

std::optional<Fault> FaultAt(Fault::Kind kind, int rank, int call) {
  std::optional<Fault> asked = AskedFault();
  if (!asked || asked->kind != kind || asked->rank != rank || asked->call != call) return std::nullopt;
  return asked;
}

}  // namespace tessera::standin
