#include "tessera/shard/check_families.h"

namespace tessera::shard::check {
namespace {

std::optional<Labels> Gather(const Op& op) {
  if (!op.shaped()) return std::nullopt;
  const size_t axis = op.axis(0);
  const std::string data = Fresh(op.rank(0));
  const std::string indices = Fresh(op.rank(1), 'A');
  Labels labels;
  labels.inputs = {Whole(data, {axis}), indices};
  labels.outputs = {data.substr(0, axis) + indices + data.substr(axis + 1)};
  labels.linear = {{0}};
  return labels;
}

std::optional<Labels> GatherElements(const Op& op) {
  if (!op.shaped()) return std::nullopt;
  const std::string letters = Whole(Fresh(op.rank(1)), {op.axis(0)});
  Labels labels;
  labels.inputs = {Whole(Aligned(*op.in(0), *op.in(1), letters), {}), letters};
  labels.outputs = {letters};
  // A dimension of which the indices take a part only cannot be cut.
  for (size_t d = 0; d < letters.size(); ++d) {
    if (labels.inputs[0][d] == '.' && d != op.axis(0))
      labels.inputs[1][d] = labels.outputs[0][d] = static_cast<char>('A' + d);
  }
  return labels;
}

std::optional<Labels> GatherNd(const Op& op) {
  if (!op.shaped() || op.rank(1) == 0 || op.in(1)->shape.back() == kDynamic) return std::nullopt;
  const auto batch = static_cast<size_t>(op.node().Int("batch_dims", 0));
  const size_t looked = batch + static_cast<size_t>(op.in(1)->shape.back());
  if (looked > op.rank(0)) return std::nullopt;
  const std::string data = Fresh(op.rank(0));
  const std::string indices = data.substr(0, batch) + Fresh(op.rank(1) - 1 - batch, 'A');
  Labels labels;
  labels.inputs = {Whole(data, Range(batch, looked)), indices + "."};
  labels.outputs = {indices + data.substr(looked)};
  return labels;
}

}  // namespace

void AddIndexing(Table& table) {
  table["Gather"] = Gather;
  table["GatherElements"] = GatherElements;
  table["GatherND"] = GatherNd;
}

}  // namespace tessera::shard::check
