#include <algorithm>
#include <numeric>

#include "tests/nvinfer_standin/host_values.h"
#include "tests/nvinfer_standin/moves.h"
#include "tests/nvinfer_standin/ops.h"

namespace tessera::standin {
namespace {

void MoveOnHost(const Tensor& in, Tensor& out, const Move& move) {
  ForEachPlace(move.sizes, {move.in_strides, move.out_strides}, [&](const auto& at) {
    (*out.host)[static_cast<size_t>(move.out_offset + at[1])] =
        (*in.host)[static_cast<size_t>(move.in_offset + at[0])];
  });
}

// An output whose values are `in`'s, walked otherwise: moved where they are known on the host, else left
// where they lie.
Result<void> SetPart(Builder& builder, size_t index, const Tensor& in, const Move& part) {
  if (!in.host) {
    builder.SetStrided(index, in, part.sizes, part.in_strides, part.in_offset);
    return {};
  }
  const auto count = static_cast<size_t>(ElementCount(part.sizes));
  Tensor out{in.type, part.sizes, nullptr, std::vector<int64_t>(count), {}};
  MoveOnHost(in, out, Move{part.sizes, part.in_strides, StridesOf(part.sizes), part.in_offset, 0});
  builder.SetOutput(index, std::move(out));
  return {};
}

Move PermutationOf(const Tensor& in, const std::vector<int64_t>& permutation) {
  const std::vector<int64_t> strides = StridesOf(in);
  Move move;
  for (int64_t axis : permutation) {
    move.sizes.push_back(in.shape[static_cast<size_t>(axis)]);
    move.in_strides.push_back(strides[static_cast<size_t>(axis)]);
  }
  return move;
}

Result<void> HandleTranspose(Builder& builder) {
  const Tensor in = builder.Input(0);
  std::vector<int64_t> permutation = builder.node().Ints("perm");
  if (permutation.empty()) {
    permutation.resize(in.shape.size());
    std::iota(permutation.rbegin(), permutation.rend(), 0);
  }
  return SetPart(builder, 0, in, PermutationOf(in, permutation));
}

Result<void> HandleExpand(Builder& builder) {
  const Tensor in = builder.Input(0);
  TRY_ASSIGN(const std::vector<int64_t> wanted, builder.Values(1));
  TRY_ASSIGN(const Shape shape, BroadcastShapes(in.shape, wanted));
  if (shape == in.shape) return builder.SetView(0, in, shape);
  return SetPart(builder, 0, in, Move{shape, BroadcastStrides(in, shape), {}});
}

// Whether the inputs, joined along `axis` to `shape`, already lie in one memory as the result would.
bool LieAsJoined(const Builder& builder, size_t axis, const Shape& shape) {
  const std::vector<int64_t> wanted = StridesOf(shape);
  const Tensor& first = builder.Input(0);
  int64_t at = 0;
  for (size_t i = 0; i < builder.input_count(); ++i) {
    const Tensor& in = builder.Input(i);
    const bool same_owner = !in.data.owner_before(first.data) && !first.data.owner_before(in.data);
    if (!in.data || in.host || !same_owner) return false;
    const auto* begin = static_cast<const std::byte*>(first.data.get());
    const auto bytes = at * wanted[axis] * static_cast<int64_t>(in.element());
    if (static_cast<const std::byte*>(in.data.get()) != begin + bytes) return false;
    const std::vector<int64_t> strides = StridesOf(in);
    for (size_t d = 0; d < shape.size(); ++d) {
      if (in.shape[d] != 1 && strides[d] != wanted[d]) return false;
    }
    at += in.shape[axis];
  }
  return true;
}

Result<void> HandleConcat(Builder& builder) {
  const Tensor first = builder.Input(0);
  TRY_ASSIGN(const size_t axis, Axis(builder.node().Int("axis", 0), first.shape.size()));
  Shape shape = first.shape;
  shape[axis] = 0;
  bool on_host = true;
  for (size_t i = 0; i < builder.input_count(); ++i) {
    shape[axis] += builder.Input(i).shape[axis];
    on_host = on_host && builder.Input(i).host.has_value();
  }
  if (LieAsJoined(builder, axis, shape)) {
    builder.SetStrided(0, first, shape, StridesOf(shape), 0);
    return {};
  }
  Tensor out{first.type, shape, nullptr, std::nullopt, {}};
  if (on_host) {
    out.host.emplace(static_cast<size_t>(ElementCount(shape)));
  } else {
    TRY_ASSIGN(out, builder.NewOutput(0, first.type, shape));
  }
  int64_t at = 0;
  const std::vector<int64_t> out_strides = StridesOf(shape);
  for (size_t i = 0; i < builder.input_count(); ++i) {
    const Tensor in = builder.Input(i);
    TRY(EmitMove(builder, in, out, Move{in.shape, StridesOf(in), out_strides, 0, at * out_strides[axis]}));
    at += in.shape[axis];
  }
  if (on_host) builder.SetOutput(0, out);
  return {};
}

Result<std::vector<int64_t>> Parts(Builder& builder, int64_t size) {
  if (builder.HasInput(1)) return builder.Values(1);
  std::vector<int64_t> parts = builder.node().Ints("split");
  if (!parts.empty()) return parts;
  const auto count = static_cast<int64_t>(builder.node().outputs.size());
  const int64_t each = (size + count - 1) / count;
  for (int64_t i = 0; i < count; ++i) parts.push_back(std::min(each, size - i * each));
  return parts;
}

Result<void> HandleSplit(Builder& builder) {
  const Tensor in = builder.Input(0);
  TRY_ASSIGN(const size_t axis, Axis(builder.node().Int("axis", 0), in.shape.size()));
  TRY_ASSIGN(const std::vector<int64_t> parts, Parts(builder, in.shape[axis]));
  const std::vector<int64_t> in_strides = StridesOf(in);
  int64_t at = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    Shape shape = in.shape;
    shape[axis] = parts[i];
    TRY(SetPart(builder, i, in, Move{shape, in_strides, {}, at * in_strides[axis], 0}));
    at += parts[i];
  }
  return {};
}

Result<void> HandleSlice(Builder& builder) {
  const Tensor in = builder.Input(0);
  TRY_ASSIGN(const std::vector<int64_t> starts, builder.Values(1));
  TRY_ASSIGN(const std::vector<int64_t> ends, builder.Values(2));
  std::vector<int64_t> axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  std::vector<int64_t> steps(starts.size(), 1);
  if (builder.HasInput(3)) {
    TRY_ASSIGN(axes, builder.Values(3));
  }
  if (builder.HasInput(4)) {
    TRY_ASSIGN(steps, builder.Values(4));
  }
  Move move{in.shape, StridesOf(in), {}};
  for (size_t i = 0; i < starts.size(); ++i) {
    TRY_ASSIGN(const size_t axis, Axis(axes[i], in.shape.size()));
    const int64_t size = in.shape[axis];
    const int64_t step = steps[i];
    auto place = [&](int64_t at) {
      if (at < 0) at += size;
      return step > 0 ? std::clamp<int64_t>(at, 0, size) : std::clamp<int64_t>(at, -1, size - 1);
    };
    const int64_t start = place(starts[i]);
    const int64_t end = ends[i] < -size ? (step > 0 ? 0 : -1) : place(ends[i]);
    const int64_t span = step > 0 ? end - start : start - end;
    move.sizes[axis] = std::max<int64_t>(0, (span + std::abs(step) - 1) / std::abs(step));
    move.in_offset += start * move.in_strides[axis];
    move.in_strides[axis] *= step;
  }
  return SetPart(builder, 0, in, move);
}

// "ab->ba": one operand, nothing summed.
Result<void> HandleEinsum(Builder& builder) {
  std::string equation = builder.node().String("equation", "");
  equation.erase(std::remove(equation.begin(), equation.end(), ' '), equation.end());
  const size_t arrow = equation.find("->");
  const std::string from = equation.substr(0, arrow);
  const std::string to = arrow == std::string::npos ? "" : equation.substr(arrow + 2);
  const Tensor in = builder.Input(0);
  if (from.size() != in.shape.size() ||
      !std::is_permutation(from.begin(), from.end(), to.begin(), to.end())) {
    return Fail(Code::kUnsupported, "the equation '{}'", equation);
  }
  std::vector<int64_t> permutation;
  for (const char letter : to) permutation.push_back(static_cast<int64_t>(from.find(letter)));
  return SetPart(builder, 0, in, PermutationOf(in, permutation));
}

}  // namespace

Result<void> EmitMove(Builder& builder, const Tensor& in, Tensor& out, const Move& move) {
  if (in.host && out.host) {
    MoveOnHost(in, out, move);
    return {};
  }
  TRY_ASSIGN(const Places places, PlacesOf(move.sizes));
  TRY_ASSIGN(const void* from, builder.OnDevice(in));
  const auto element = static_cast<int64_t>(in.element());
  builder.AddKernel([=, to = out.data.get(), in_strides = KernelStrides(move.in_strides),
                     out_strides = KernelStrides(move.out_strides)](cudaStream_t stream) {
    const Operand read{static_cast<const std::byte*>(from) + move.in_offset * element, in_strides};
    std::byte* written = static_cast<std::byte*>(to) + move.out_offset * element;
    return LaunchStridedCopy(static_cast<size_t>(element), places, read, written, out_strides, stream);
  });
  return {};
}

Result<Tensor> EmitTranspose(Builder& builder, const Tensor& in, const std::vector<int64_t>& permutation) {
  Move move = PermutationOf(in, permutation);
  move.out_strides = StridesOf(move.sizes);
  TRY_ASSIGN(Tensor out, builder.Scratch(in.type, move.sizes));
  TRY(EmitMove(builder, in, out, move));
  return out;
}

void AddMoves(Handlers& handlers) {
  handlers["Transpose"] = HandleTranspose;
  handlers["Expand"] = HandleExpand;
  handlers["Concat"] = HandleConcat;
  handlers["Split"] = HandleSplit;
  handlers["Slice"] = HandleSlice;
  handlers["Einsum"] = HandleEinsum;
}

}  // namespace tessera::standin
