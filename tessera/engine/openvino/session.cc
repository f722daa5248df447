#include "tessera/engine/openvino/session.h"

#include <atomic>
#include <openvino/runtime/infer_request.hpp>
#include <openvino/runtime/tensor.hpp>

#include "tessera/engine/openvino/guard.h"
#include "tessera/engine/openvino/types.h"

namespace tessera::engine::openvino {
namespace {

// OpenVINO can use this memory itself: dense, on the host, aligned for its elements, and not nothing.
template <class Byte>
bool UsableInPlace(const BasicRegion<Byte>& region, const ov::element::Type& type) {
  return region.contiguous() && region.kind != MemoryKind::kDevice && region.bytes() > 0 &&
         reinterpret_cast<uintptr_t>(region.data) % type.size() == 0;
}

ConstRegion RegionOf(const ov::Tensor& tensor) {
  return HostRegion(Bytes{static_cast<const std::byte*>(tensor.data()), tensor.get_byte_size()});
}

Region RegionOf(ov::Tensor& tensor) {
  return HostRegion(MutableBytes{static_cast<std::byte*>(tensor.data()), tensor.get_byte_size()});
}

Result<void> CopyOut(const ov::Tensor& tensor, const Region& place) {
  if (place.kind == MemoryKind::kDevice) return Fail(Code::kUnsupported, "an output in device memory");
  CopyHost(RegionOf(tensor), place);
  return {};
}

// OpenVINO's request keeps what was set last, so every step sets every tensor that is not its own anew.
class Session final : public RankSession {
 public:
  explicit Session(RankModel model)
      : model_(std::move(model)), request_(model_.compiled.create_infer_request()) {}

  void Prepare();

  const std::vector<TensorSpec>& inputs() const override { return model_.inputs; }
  const std::vector<TensorSpec>& outputs() const override { return model_.outputs; }
  Result<void> Run(const RankInputs& inputs, OutputSink& sink, Rank rank, Deadline deadline) override;
  void Cancel() noexcept override;

 private:
  struct Output {
    bool fixed = false;     // its shape is known before the step: it can be written in place
    ov::Tensor own;         // of a fixed one: where it goes when the place cannot be used
    bool borrowed = false;  // the request holds somebody else's memory
    Region place;           // of this step, where `own` has to be copied to
  };

  Result<void> BindInput(size_t index, const TensorView& view);
  Result<void> BindOutput(size_t index, OutputSink& sink, Rank rank);
  Result<void> Infer();
  Result<void> Deliver(size_t index, OutputSink& sink, Rank rank);

  RankModel model_;
  ov::InferRequest request_;
  std::vector<ov::Tensor> staging_;  // of inputs that cannot be used where they lie; grows, never shrinks
  std::vector<Output> outputs_;
  std::atomic<bool> cancelled_{false};
};

void Session::Prepare() {
  staging_.resize(model_.inputs.size());
  outputs_.resize(model_.outputs.size());
  for (size_t i = 0; i < outputs_.size(); ++i) {
    outputs_[i].fixed = IsStatic(model_.outputs[i].shape);
    if (outputs_[i].fixed) outputs_[i].own = request_.get_output_tensor(i);
  }
  if (!model_.has_token) return;
  ov::Tensor token(ov::element::i32, {1});
  *token.data<int32_t>() = 0;
  request_.set_input_tensor(model_.inputs.size(), token);
}

Result<void> Session::Run(const RankInputs& inputs, OutputSink& sink, Rank rank, Deadline deadline) {
  model_.site->deadline = deadline;
  model_.site->error.reset();
  return Guard(Code::kInternal, "OpenVINO", [&]() -> Result<void> {
    for (size_t i = 0; i < inputs.tensors.size(); ++i) TRY(BindInput(i, inputs.tensors[i]));
    for (size_t i = 0; i < outputs_.size(); ++i) TRY(BindOutput(i, sink, rank));
    TRY(Infer());
    for (size_t i = 0; i < outputs_.size(); ++i) TRY(Deliver(i, sink, rank));
    return {};
  });
}

Result<void> Session::BindInput(size_t index, const TensorView& view) {
  if (view.data.kind == MemoryKind::kDevice) {
    return Fail(Code::kUnsupported, "input '{}' lies in device memory", model_.inputs[index].name);
  }
  const ov::element::Type type = model_.compiled.input(index).get_element_type();
  if (UsableInPlace(view.data, type)) {
    // OpenVINO does not write to inputs, but takes no pointer to const for them.
    request_.set_input_tensor(index,
                              ov::Tensor(type, ToOv(view.shape), const_cast<std::byte*>(view.data.data)));
    return {};
  }
  ov::Tensor& staging = staging_[index];
  if (!staging) staging = ov::Tensor(type, ToOv(view.shape));
  staging.set_shape(ToOv(view.shape));
  CopyHost(view.data, RegionOf(staging));
  request_.set_input_tensor(index, staging);
  return {};
}

// Before the step: asks where a fixed output goes, and lets OpenVINO write it there when it can.
Result<void> Session::BindOutput(size_t index, OutputSink& sink, Rank rank) {
  Output& output = outputs_[index];
  if (!output.fixed) return {};
  const TensorSpec& spec = model_.outputs[index];
  TRY_ASSIGN(output.place, sink.Place(rank, static_cast<int>(index), spec.type, spec.shape));
  const ov::element::Type type = output.own.get_element_type();
  if (output.place.data != nullptr && UsableInPlace(output.place, type)) {
    request_.set_output_tensor(index, ov::Tensor(type, ToOv(spec.shape), output.place.data));
    output.borrowed = true;
  } else if (output.borrowed) {
    request_.set_output_tensor(index, output.own);
    output.borrowed = false;
  }
  return {};
}

Result<void> Session::Infer() {
  if (cancelled_.load(std::memory_order_relaxed)) return Fail(Code::kCancelled, "cancelled");
  try {
    request_.infer();
  } catch (const std::exception&) {
    // OpenVINO's exception was our own collective's error: that says what happened.
    if (model_.site->error) return tl::unexpected<Error>(*model_.site->error);
    throw;
  }
  return {};
}

Result<void> Session::Deliver(size_t index, OutputSink& sink, Rank rank) {
  Output& output = outputs_[index];
  if (output.fixed) {
    if (output.borrowed || output.place.data == nullptr) return {};
    return CopyOut(output.own, output.place);
  }
  const ov::Tensor tensor = request_.get_output_tensor(index);
  const DType type = model_.outputs[index].type;
  TRY_ASSIGN(const Region place, sink.Place(rank, static_cast<int>(index), type, FromOv(tensor.get_shape())));
  if (place.data == nullptr) return {};
  return CopyOut(tensor, place);
}

void Session::Cancel() noexcept {
  cancelled_.store(true, std::memory_order_relaxed);
  try {
    request_.cancel();
  } catch (const std::exception&) {
    // Nothing was running: `cancelled_` stops what comes.
    return;
  }
}

// A warm-up's outputs go nowhere.
class NoSink final : public OutputSink {
 public:
  Result<Region> Place(Rank /*rank*/, int /*index*/, DType /*type*/, const Shape& /*shape*/) override {
    return Region{};
  }
};

Shape WarmUpShape(const TensorSpec& spec, const plan::Plan& plan) {
  Shape shape = spec.shape;
  for (int64_t& d : shape) d = d == kDynamic ? plan.world_size() : d;
  for (const plan::TensorPlan& input : plan.inputs) {
    if (input.spec.name != spec.name || input.layout.kind != plan::Layout::Kind::kSplit) continue;
    const auto axis = static_cast<size_t>(input.layout.axis);
    if (axis < shape.size() && spec.shape[axis] == kDynamic) shape[axis] = 1;
  }
  return shape;
}

}  // namespace

Result<std::unique_ptr<RankSession>> MakeSession(RankModel model) {
  return Guard(Code::kInternal, "making a request", [&]() -> Result<std::unique_ptr<RankSession>> {
    auto session = std::make_unique<Session>(std::move(model));
    session->Prepare();
    return session;
  });
}

Result<void> WarmUp(RankSession& session, const plan::Plan& plan, Rank rank, Deadline deadline) {
  std::vector<std::vector<std::byte>> zeros;
  RankInputs inputs;
  for (const TensorSpec& spec : session.inputs()) {
    TensorView view{spec.type, WarmUpShape(spec, plan), {}};
    zeros.emplace_back(BytesOf(spec.type, view.shape).value());
    view.data = HostRegion(Bytes{zeros.back()});
    inputs.tensors.push_back(std::move(view));
  }
  NoSink sink;
  return session.Run(inputs, sink, rank, deadline);
}

}  // namespace tessera::engine::openvino
