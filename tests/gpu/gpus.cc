#include "tests/gpu/gpus.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>
#include <string>

#include "tessera/cuda/device.h"

namespace tessera::gputest {
namespace {

std::vector<DeviceId> Numbered(int count) {
  std::vector<DeviceId> gpus;
  for (int n = 0; n < count; ++n) gpus.push_back(DeviceId(n));
  return gpus;
}

// Empty: $TESSERA_GPUS lists none.
std::vector<DeviceId> ReadList() {
  std::vector<DeviceId> gpus;
  const char* list = std::getenv("TESSERA_GPUS");
  std::istringstream words(list == nullptr ? "" : list);
  for (std::string word; std::getline(words, word, ',');) gpus.push_back(DeviceId(std::stoi(word)));
  return gpus;
}

std::vector<DeviceId> ReadGpus() {
  std::vector<DeviceId> gpus = ReadList();
  return gpus.empty() ? Numbered(cuda::DeviceCount()) : gpus;
}

}  // namespace

const std::vector<DeviceId>& Gpus() {
  static const std::vector<DeviceId> gpus = ReadGpus();
  return gpus;
}

std::vector<DeviceId> ListedGpus(int count) {
  std::vector<DeviceId> gpus = ReadList();
  if (gpus.empty()) return Numbered(count);
  gpus.resize(std::min(gpus.size(), static_cast<size_t>(count)), DeviceId(0));
  return gpus;
}

std::vector<DeviceId> FirstGpus(int count) {
  return {Gpus().begin(), Gpus().begin() + count};
}

std::vector<DeviceId> GpusAt(std::initializer_list<size_t> places) {
  std::vector<DeviceId> gpus;
  for (const size_t place : places) gpus.push_back(Gpus()[place]);
  return gpus;
}

bool HasOwnGpus(int count) {
  if (static_cast<size_t>(count) > Gpus().size()) return false;
  const std::vector<DeviceId> first = FirstGpus(count);
  return std::set<DeviceId>(first.begin(), first.end()).size() == first.size();
}

std::string WorldLabel(int world) {
  return std::to_string(world) + (HasOwnGpus(world) ? "" : " on shared GPUs");
}

}  // namespace tessera::gputest
