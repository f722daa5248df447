// Sharded models with requests and the answers of another engine: what make_cases.py left in a folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tests/nvinfer_standin/plan_file.h"

namespace tessera::gputest {

struct CaseTensor {
  std::string name;
  DType type = DType::kUndefined;
  Shape shape;
  std::vector<std::byte> bytes;
  double limit = 0;  // of an answer's error; 0: the test's own
};

struct Request {
  std::vector<CaseTensor> inputs;
  std::vector<CaseTensor> answers;  // of onnxruntime
  std::vector<CaseTensor> cpu;      // of as many CPU ranks; may be none
};

// `directory` holds plan.json, the ranks' ONNX files with their weights, and requests.txt.
struct ModelCase {
  std::string name;
  std::filesystem::path directory;
  int ranks = 1;
  std::vector<Request> requests;
};

// The cases in $TESSERA_GPU_MODELS; none when it is not set. Errors: a case that cannot be read, named.
Result<std::vector<ModelCase>> ReadCases();

// From the smallest to the largest of the requests' shapes, best for the first's.
standin::Profile ProfileOf(const ModelCase& model);

}  // namespace tessera::gputest
