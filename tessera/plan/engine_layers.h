// How a collective shows among the layers of a built engine, as TensorRT's inspector and builder describe
// them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tessera::plan {

struct EngineCollective {
  std::string name;  // of the DistCollective node; in profiles but the first with " [profile 1]" at its end
  std::string kind;  // "comm_allreduce", ...; "DistCollective" where an operation has no kernel of its own
  bool first_profile = true;  // an engine holds its layers once for each optimisation profile
  bool operator==(const EngineCollective&) const = default;
};

// The collective that a layer's one-line description tells of; nothing for another layer. `line` starts
// "Name: val_155_U25_myl0_19, LayerType: comm_allreduce, Inputs: ..": the compiler appends to a node's name.
std::optional<EngineCollective> CollectiveOfLayer(std::string_view line);

}  // namespace tessera::plan
