#include "tests/nvinfer_standin/ops.h"

#include <set>

namespace tessera::standin {
namespace {

Handlers MakeAll() {
  Handlers handlers;
  AddElementwise(handlers);
  AddShapes(handlers);
  AddMoves(handlers);
  AddGathers(handlers);
  AddRows(handlers);
  AddProducts(handlers);
  AddAttention(handlers);
  AddCollective(handlers);
  return handlers;
}

}  // namespace

Handler FindHandler(const std::string& op_type) {
  static const Handlers handlers = MakeAll();
  auto found = handlers.find(op_type);
  return found == handlers.end() ? nullptr : found->second;
}

bool ReadsStrides(const std::string& op_type) {
  static const std::set<std::string> all = {"Attention", "Concat", "Einsum",   "Expand",
                                            "Slice",     "Split",  "Transpose"};
  return all.count(op_type) != 0;
}

}  // namespace tessera::standin
