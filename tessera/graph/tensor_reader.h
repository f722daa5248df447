// TensorProto to Constant: raw, typed and external data all become plain bytes.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tessera/base/file.h"
#include "tessera/graph/graph.h"
#include "tessera/graph/schema.h"

namespace tessera::graph {

class TensorReader {
 public:
  // External data lies in `directory`.
  explicit TensorReader(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // A constant of `tensor`, whose content is taken. `raw` (if any) stands for its raw_data and is kept alive
  // by `owner`. Errors: kInvalidArgument, naming the tensor.
  Result<Constant> Read(pb::TensorProto tensor, std::optional<Bytes> raw = {},
                        std::shared_ptr<const void> owner = {});

  // Puts the bytes of external tensors inside a message that is kept as it came: its references would dangle
  // once the model is written elsewhere.
  Result<void> Embed(pb::AttributeProto& attribute);
  Result<void> Embed(pb::GraphProto& graph);
  Result<void> Embed(pb::NodeProto& node);
  Result<void> Embed(pb::TensorProto& tensor);

 private:
  Result<Constant> ReadExternal(const pb::TensorProto& tensor, Constant constant, uint64_t wanted);
  Result<std::shared_ptr<const MappedFile>> Map(const std::string& tensor, const std::string& location);

  std::filesystem::path directory_;
  std::map<std::string, std::shared_ptr<const MappedFile>> mapped_;  // by location
};

}  // namespace tessera::graph
