#include "tessera/comm/conformance/conformance.h"

#include <map>

namespace tessera::comm::conformance {
namespace {

constexpr int kWorldSizes[] = {1, 2, 3, 4, 8};
constexpr DType kTypes[] = {DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kInt8,
                            DType::kInt32,   DType::kInt64,   DType::kBool};
constexpr ReduceOp kReductions[] = {ReduceOp::kSum, ReduceOp::kProd, ReduceOp::kMax, ReduceOp::kMin,
                                    ReduceOp::kAvg};
constexpr CollectiveOp kOps[] = {
    CollectiveOp::kAllReduce,     CollectiveOp::kAllGather, CollectiveOp::kBroadcast, CollectiveOp::kReduce,
    CollectiveOp::kReduceScatter, CollectiveOp::kAllToAll,  CollectiveOp::kGather,    CollectiveOp::kScatter};

// One for each kind of collective, without a type.
std::vector<Collective> EveryOp() {
  std::vector<Collective> all;
  for (CollectiveOp op : kOps) {
    if (!Reduces(op)) all.push_back({op, ReduceOp::kNone, Rank{0}, DType::kUndefined});
    for (ReduceOp reduce : kReductions) {
      if (Reduces(op)) all.push_back({op, reduce, Rank{0}, DType::kUndefined});
    }
  }
  return all;
}

}  // namespace

testing::internal::ParamGenerator<Case> EveryCase(AdapterSource adapter) {
  std::vector<Case> cases;
  for (int world_size : kWorldSizes) {
    for (Collective what : EveryOp()) {
      for (DType type : kTypes) {
        what.type = type;
        what.root = Rank{IsRooted(what.op) ? world_size / 2 : 0};  // not always the first
        cases.push_back({adapter, what, world_size});
      }
    }
  }
  return testing::ValuesIn(cases);
}

testing::internal::ParamGenerator<World> Worlds(AdapterSource adapter) {
  std::vector<World> worlds;
  for (int world_size : kWorldSizes) worlds.push_back({adapter, world_size});
  return testing::ValuesIn(worlds);
}

std::string CaseName(const testing::TestParamInfo<Case>& info) {
  const Collective& what = info.param.what;
  std::string name(Name(what.op));
  if (Reduces(what.op)) name += fmt::format("_{}", Name(what.reduce));
  return fmt::format("{}_{}_{}", name, DTypeName(what.type), info.param.world_size);
}

std::string WorldName(const testing::TestParamInfo<World>& info) {
  return std::to_string(info.param.world_size);
}

void Suite::UseFreshGroup(AdapterSource adapter, int world_size) {
  if (auto reason = adapter().Unsupported(world_size)) GTEST_SKIP() << *reason;
  auto made = adapter().Create(world_size);
  ASSERT_TRUE(made) << made.error().ToString();
  group_ = std::move(*made);
}

void Suite::UseGroup(AdapterSource adapter, int world_size) {
  // Making one may take a second (NCCL). Left alive to the end of the process: what a test did last may be
  // seen late.
  static auto& groups = *new std::map<std::pair<AdapterSource, int>, std::shared_ptr<Group>>;
  std::shared_ptr<Group>& shared = groups[{adapter, world_size}];
  if (shared == nullptr) {
    UseFreshGroup(adapter, world_size);
    shared = group_;
  }
  group_ = shared;
  shared_ = &shared;
}

void Suite::TearDown() {
  if (HasFailure() && shared_ != nullptr) shared_->reset();
}

void EveryCollective::SetUp() {
  if (auto reason = GetParam().adapter().Unsupported(GetParam().what)) GTEST_SKIP() << *reason;
  UseGroup(GetParam().adapter, GetParam().world_size);
}

}  // namespace tessera::comm::conformance
