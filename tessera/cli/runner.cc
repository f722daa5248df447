#include "tessera/cli/runner.h"

namespace tessera::cli {
namespace {

class ExecutorRunner final : public Runner, private exec::OutputTarget {
 public:
  explicit ExecutorRunner(std::unique_ptr<exec::Executor> executor)
      : executor_(std::move(executor)), outputs_(executor_->outputs().size()) {}

  const plan::Plan& plan() const override { return executor_->plan(); }

  Result<const std::vector<HostTensor>*> Run(std::span<const HostTensor> inputs) override {
    views_.clear();
    for (const HostTensor& input : inputs) views_.push_back(input.View());
    TRY(executor_->Infer(views_, *this, Deadline::Never()));
    return &outputs_;
  }

 private:
  // Different outputs are placed by different threads at the same time: each touches its own tensor.
  Result<Region> Place(int index, DType type, const Shape& shape) override {
    const auto at = static_cast<size_t>(index);
    HostTensor& tensor = outputs_.at(at);
    tensor.spec = {executor_->outputs().at(at).name, type, shape};
    tensor.bytes.resize(BytesOf(type, shape).value());
    return HostRegion(MutableBytes(tensor.bytes));
  }

  std::unique_ptr<exec::Executor> executor_;
  std::vector<TensorView> views_;
  std::vector<HostTensor> outputs_;
};

}  // namespace

std::unique_ptr<Runner> MakeRunner(std::unique_ptr<exec::Executor> executor) {
  return std::make_unique<ExecutorRunner>(std::move(executor));
}

}  // namespace tessera::cli
