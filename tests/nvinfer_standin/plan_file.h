// The stand-in's "plan": a few lines of text that name the rank's ONNX file. Large weights may stand in it,
// too, as in TensorRT's plans: the text ends with a NUL then.
//
//     TESSERA-STANDIN 1
//     onnx /path/to/model.onnx.rank0
//     rank 0
//     profile ids=1x4:2x8:8x128 mask=1x4:2x8:8x128     (minimum:optimum:maximum; one line per profile)
//     values sizes=1x4:2x8:8x128     (of the profile above: "sizes" is a shape tensor of two values)
//     weight w1 65536 33554432     (these bytes of this file: offset and count)
//     declare x=fp8 y=chw4 z=host    (a type, a memory format, a place that the ONNX file does not tell, or
//                                     "alias", the memory of the first input: for callers that refuse it)
//     declare layers=kindless    (the inspector tells the names of layers and not their kinds)
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::standin {

struct ProfileRange {
  Shape least, best, most;
};
using Profile = std::map<std::string, ProfileRange>;

struct PlanFile {
  std::filesystem::path onnx;
  int rank = 0;
  std::vector<Profile> profiles;
  std::vector<Profile> values{};  // [profile]; of shape tensors
  std::map<std::string, std::string> declared{};
  struct Weight {
    uint64_t offset = 0, bytes = 0;
  };
  std::map<std::string, Weight> weights{};
};

// Up to the first NUL.
Result<PlanFile> ParsePlan(std::string_view text);
std::string PrintPlan(const PlanFile& plan);

}  // namespace tessera::standin
