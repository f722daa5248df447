#include "tests/gpu/cases.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tessera/base/file.h"
#include "tessera/plan/plan.h"

namespace tessera::gputest {
namespace {

namespace fs = std::filesystem;

// "input_ids INT64 2x16 0.input_ids.bin", and of an answer its limit where it has one
Result<CaseTensor> ReadTensor(std::istringstream& words, const fs::path& directory) {
  CaseTensor tensor;
  std::string type;
  std::string shape;
  std::string file;
  words >> tensor.name >> type >> shape >> file;
  if (!(words >> tensor.limit)) tensor.limit = 0;
  const std::optional<DType> known = DTypeFromName(type);
  if (!known) return Fail(Code::kInvalidArgument, "tensor '{}' has the type '{}'", tensor.name, type);
  tensor.type = *known;
  std::istringstream sizes(shape);
  for (std::string size; std::getline(sizes, size, 'x');) tensor.shape.push_back(std::atoll(size.c_str()));
  TRY_ASSIGN(std::shared_ptr<const MappedFile> content, MappedFile::Open(directory / file));
  const auto bytes = std::as_bytes(std::span(content->bytes()));
  tensor.bytes.assign(bytes.begin(), bytes.end());
  if (tensor.bytes.size() == BytesOf(tensor.type, tensor.shape).value()) return tensor;
  return Fail(Code::kInvalidArgument, "'{}' has {} bytes, {} {} wants {}", file, tensor.bytes.size(), type,
              shape, BytesOf(tensor.type, tensor.shape).value());
}

Result<ModelCase> ReadCase(const fs::path& directory) {
  ModelCase model{directory.filename().string(), directory, 1, {}};
  TRY_ASSIGN(const plan::Plan plan, plan::ReadPlan(directory));
  model.ranks = plan.world_size();
  std::ifstream file(directory / "requests.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string what;
    words >> what;
    if (what == "request") {
      model.requests.emplace_back();
      continue;
    }
    if (model.requests.empty()) return Fail(Code::kInvalidArgument, "'{}' before the first request", line);
    TRY_ASSIGN(CaseTensor tensor, ReadTensor(words, directory));
    Request& request = model.requests.back();
    (what == "input" ? request.inputs
     : what == "cpu" ? request.cpu
                     : request.answers)
        .push_back(std::move(tensor));
  }
  if (model.requests.empty()) return Fail(Code::kNotFound, "'{}' has no requests.txt", directory.string());
  return model;
}

}  // namespace

Result<std::vector<ModelCase>> ReadCases() {
  std::vector<ModelCase> models;
  const char* folder = std::getenv("TESSERA_GPU_MODELS");
  if (folder == nullptr || !fs::is_directory(folder)) return models;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    TRY_ASSIGN(ModelCase model, ReadCase(fs::absolute(entry.path())));
    models.push_back(std::move(model));
  }
  std::sort(models.begin(), models.end(),
            [](const ModelCase& one, const ModelCase& other) { return one.name < other.name; });
  return models;
}

standin::Profile ProfileOf(const ModelCase& model) {
  standin::Profile profile;
  for (const Request& request : model.requests) {
    for (const CaseTensor& input : request.inputs) {
      auto [range, fresh] = profile.try_emplace(input.name);
      if (fresh) range->second = {input.shape, input.shape, input.shape};
      for (size_t d = 0; d < input.shape.size(); ++d) {
        range->second.least[d] = std::min(range->second.least[d], input.shape[d]);
        range->second.most[d] = std::max(range->second.most[d], input.shape[d]);
      }
    }
  }
  return profile;
}

}  // namespace tessera::gputest
