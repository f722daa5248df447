#include "tessera/engine/tensorrt/shape_values.h"

#include <cstring>

namespace tessera::engine {
namespace {

bool Equal(const ConstRegion& one, const ConstRegion& other) {
  return one.bytes() == other.bytes() &&
         (one.data == other.data || std::memcmp(one.data, other.data, one.bytes()) == 0);
}

}  // namespace

Result<void> CheckShapeValues(const Step& step, const std::vector<TensorSpec>& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].on_host) continue;
    for (size_t r = 0; r < step.ranks.size(); ++r) {
      const ConstRegion& data = step.ranks[r].tensors[i].data;
      if (data.kind == MemoryKind::kDevice || !data.contiguous()) {
        return Fail(Code::kInvalidArgument, "input '{}' is a shape tensor: wanted it dense in host memory",
                    inputs[i].name);
      }
      if (Equal(data, step.ranks.front().tensors[i].data)) continue;
      return Fail(Code::kInvalidArgument,
                  "input '{}' is a shape tensor: rank {} has other values than rank 0", inputs[i].name, r);
    }
  }
  return {};
}

HostValues ValuesOf(const Step& step, const std::vector<TensorSpec>& inputs) {
  HostValues values(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const ConstRegion& data = step.ranks.front().tensors[i].data;
    if (inputs[i].on_host) values[i].assign(data.data, data.data + data.bytes());
  }
  return values;
}

bool HasValues(const Step& step, const HostValues& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].empty()) continue;
    const ConstRegion& data = step.ranks.front().tensors[i].data;
    if (data.bytes() != values[i].size()) return false;
    if (std::memcmp(data.data, values[i].data(), values[i].size()) != 0) return false;
  }
  return true;
}

}  // namespace tessera::engine
