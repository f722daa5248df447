#include "tests/gpu/gpus.h"

#include <cstdlib>
#include <set>
#include <sstream>
#include <string>

#include "tessera/cuda/device.h"

namespace tessera::gputest {
namespace {

std::vector<DeviceId> ReadGpus() {
  std::vector<DeviceId> gpus;
  const char* list = std::getenv("TESSERA_GPUS");
  if (list == nullptr || *list == 0) {
    for (int n = 0; n < cuda::DeviceCount(); ++n) gpus.push_back(DeviceId(n));
    return gpus;
  }
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) gpus.push_back(DeviceId(std::stoi(word)));
  return gpus;
}

}  // namespace

const std::vector<DeviceId>& Gpus() {
  static const std::vector<DeviceId> gpus = ReadGpus();
  return gpus;
}

std::vector<DeviceId> FirstGpus(int count) {
  return {Gpus().begin(), Gpus().begin() + count};
}

bool HasOwnGpus(int count) {
  if (static_cast<size_t>(count) > Gpus().size()) return false;
  const std::vector<DeviceId> first = FirstGpus(count);
  return std::set<DeviceId>(first.begin(), first.end()).size() == first.size();
}

}  // namespace tessera::gputest
