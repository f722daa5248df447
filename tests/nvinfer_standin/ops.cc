#include "tests/nvinfer_standin/ops.h"

namespace tessera::standin {
namespace {

Handlers MakeAll() {
  Handlers handlers;
  AddElementwise(handlers);
  AddShapes(handlers);
  AddMoves(handlers);
  AddRows(handlers);
  AddProducts(handlers);
  AddCollective(handlers);
  return handlers;
}

}  // namespace

Handler FindHandler(const std::string& op_type) {
  static const Handlers handlers = MakeAll();
  auto found = handlers.find(op_type);
  return found == handlers.end() ? nullptr : found->second;
}

}  // namespace tessera::standin
