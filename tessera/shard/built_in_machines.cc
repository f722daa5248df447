#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/ranges.h>

#include "tessera/base/log.h"
#include "tessera/shard/machine.h"
#include "tessera/shard/machine_presets.h"

namespace tessera::shard {
namespace {

struct Preset {
  std::string_view name;
  const char* const& text;
};

const std::array<Preset, 2>& Presets() {
  static const std::array<Preset, 2> all{{{"cpu", kCpuMachine}, {"h200", kH200Machine}}};
  return all;
}

// A preset is part of the program: one that cannot be read is a defect that a test finds.
Machine Require(std::string_view name) {
  Result<Machine> machine = BuiltInMachine(name);
  if (machine) return *std::move(machine);
  TESSERA_LOG(kError, "built-in machine '{}': {}", name, machine.error().message);
  std::abort();
}

}  // namespace

std::vector<std::string_view> BuiltInMachines() {
  std::vector<std::string_view> names;
  for (const Preset& preset : Presets()) names.push_back(preset.name);
  return names;
}

Result<Machine> BuiltInMachine(std::string_view name) {
  const auto& all = Presets();
  const auto* const found =
      std::find_if(all.begin(), all.end(), [&](const Preset& preset) { return preset.name == name; });
  if (found == all.end()) {
    return Fail(Code::kNotFound, "no built-in machine '{}', wanted one of: {}", name,
                fmt::format("{}", fmt::join(BuiltInMachines(), ", ")));
  }
  return MachineFromJson(found->text);
}

const Machine& DefaultMachine(Machine::Device device) {
  static const Machine cpu = Require("cpu");
  static const Machine gpu = Require("h200");
  return device == Machine::Device::kGpu ? gpu : cpu;
}

}  // namespace tessera::shard
