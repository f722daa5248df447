#include "tessera/cli/whole_model.h"

#include "tessera/base/sha256.h"
#include "tessera/cli/scratch_directory.h"
#include "tessera/graph/onnx.h"

namespace tessera::cli {
namespace {

// A group of one rank: nothing is split, so the tensors go in and out as they are.
class OneRankRunner final : public Runner, private engine::OutputSink {
 public:
  OneRankRunner(plan::Plan plan, std::unique_ptr<engine::RankGroup> group)
      : plan_(std::move(plan)), group_(std::move(group)), outputs_(plan_.outputs.size()) {
    step_.ranks.resize(1);
    step_.sink = this;
  }

  const plan::Plan& plan() const override { return plan_; }

  Result<const std::vector<HostTensor>*> Run(std::span<const HostTensor> inputs) override {
    step_.ranks[0].tensors.clear();
    for (const HostTensor& input : inputs) step_.ranks[0].tensors.push_back(input.View());
    TRY(group_->Run(step_));
    return &outputs_;
  }

 private:
  Result<Region> Place(Rank, int index, DType type, const Shape& shape) override {
    const auto at = static_cast<size_t>(index);
    outputs_.at(at).spec = {plan_.outputs.at(at).spec.name, type, shape};
    outputs_.at(at).bytes.resize(BytesOf(type, shape).value());
    return HostRegion(MutableBytes(outputs_.at(at).bytes));
  }

  plan::Plan plan_;
  std::unique_ptr<engine::RankGroup> group_;
  engine::Step step_;
  std::vector<HostTensor> outputs_;
};

std::vector<plan::TensorPlan> WholeTensors(const std::vector<TensorSpec>& specs) {
  std::vector<plan::TensorPlan> tensors;
  for (const TensorSpec& spec : specs)
    tensors.push_back({spec, std::vector<std::string>(spec.shape.size()), {}});
  return tensors;
}

// Without the Ifs whose branch is certain, as the compiler reads it: some engines cannot read those. The
// engine holds what it loaded; the file may go.
Result<std::unique_ptr<engine::RankGroup>> LoadSettled(const plan::Plan& whole,
                                                       const std::filesystem::path& model,
                                                       engine::Engine& engine) {
  TRY_ASSIGN(const ScratchDirectory scratch, ScratchDirectory::Create());
  TRY_ASSIGN(const graph::Graph graph, graph::ReadOnnx(model, {.settle_branches = true}));
  TRY(graph::WriteOnnx(graph, scratch.path() / whole.ranks.front().model.file));
  return engine.Load(whole, scratch.path(), Deadline::Never());
}

Result<std::unique_ptr<engine::RankGroup>> LoadOriginal(const plan::Plan& whole,
                                                        const std::filesystem::path& model,
                                                        engine::Engine& engine) {
  auto group = engine.Load(whole, std::filesystem::absolute(model).parent_path(), Deadline::Never());
  if (group) return group;
  auto settled = LoadSettled(whole, model, engine);
  return settled ? std::move(settled) : std::move(group);
}

}  // namespace

Result<void> CheckSource(const plan::Plan& plan, const std::filesystem::path& model) {
  TRY_ASSIGN(const std::string sha256, Sha256OfFile(model));
  if (sha256 == plan.source_sha256) return {};
  return Fail(Code::kInvalidArgument,
              "'{}' is not the model that '{}' was made from: its sha256 is {}, the plan wants {}",
              model.string(), plan.model_name, sha256, plan.source_sha256);
}

Result<std::unique_ptr<Runner>> LoadWholeModel(const plan::Plan& sharded, const std::filesystem::path& model,
                                               engine::Engine& engine) {
  plan::Plan whole = sharded;  // the engine takes the names of inputs and outputs from it
  whole.mesh = {{"tp", 1}};
  whole.collectives.clear();
  whole.ranks.assign(1, plan::RankPlan{{model.filename().string(), ByteCount{0}, ""}, {}, ByteCount{0}});
  TRY_ASSIGN(auto group, LoadOriginal(whole, model, engine));
  // In the engine's order, which may be another than the sharded plan's.
  whole.inputs = WholeTensors(group->inputs());
  whole.outputs = WholeTensors(group->outputs());
  return std::unique_ptr<Runner>(std::make_unique<OneRankRunner>(std::move(whole), std::move(group)));
}

}  // namespace tessera::cli
