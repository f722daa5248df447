#include "tessera/graph/tensor_writer.h"

#include "tessera/graph/element_types.h"

namespace tessera::graph {

pb::TensorProto WriteTensorHead(const Constant& constant) {
  pb::TensorProto tensor;
  if (constant.raw != nullptr) {
    tensor.ParseFromString(*constant.raw);
    return tensor;
  }
  tensor.ParseFromString(constant.rest);
  tensor.mutable_dims()->Add(constant.shape.begin(), constant.shape.end());
  tensor.set_data_type(ToOnnxType(constant.type));
  return tensor;
}

pb::TensorProto WriteTensor(const Constant& constant) {
  pb::TensorProto tensor = WriteTensorHead(constant);
  if (constant.raw == nullptr) tensor.set_raw_data(constant.bytes.data(), constant.bytes.size());
  return tensor;
}

}  // namespace tessera::graph
