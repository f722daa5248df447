#include "tessera/plan/probe_file.h"

#include "tessera/base/sha256.h"

namespace tessera::plan {
namespace {

constexpr uint64_t kAlignment = 64;

// Where the next tensor begins, of so many bytes; `end` is moved behind it.
uint64_t Take(uint64_t& end, uint64_t bytes) {
  const uint64_t begin = (end + kAlignment - 1) / kAlignment * kAlignment;
  end = begin + bytes;
  return begin;
}

void Append(std::string& content, const TensorView& tensor) {
  uint64_t end = content.size();
  content.resize(Take(end, tensor.data.bytes()));
  content.append(reinterpret_cast<const char*>(tensor.data.data), tensor.data.bytes());
}

uint64_t BytesOf(const TensorPlan& tensor, const Shape& shape) {
  return tessera::BytesOf(tensor.spec.type, shape).value();
}

}  // namespace

ByteCount ProbeBytes(const Plan& plan, const Probe& probe) {
  uint64_t end = 0;
  for (size_t i = 0; i < probe.inputs.size(); ++i) Take(end, BytesOf(plan.inputs[i], probe.inputs[i]));
  for (size_t i = 0; i < probe.outputs.size(); ++i) Take(end, BytesOf(plan.outputs[i], probe.outputs[i]));
  return ByteCount{end};
}

Result<ProbeTensors> ReadProbe(const Plan& plan, const std::filesystem::path& directory) {
  const Probe& probe = *plan.probe;
  ProbeTensors read;
  TRY_ASSIGN(read.file, MappedFile::Open(directory / probe.file.file));
  const Bytes bytes = read.file->bytes();
  if (bytes.size() != ProbeBytes(plan, probe).value()) {
    return Fail(Code::kInvalidArgument, "'{}' has {} bytes, the plan wants {}",
                (directory / probe.file.file).string(), bytes.size(), ProbeBytes(plan, probe).value());
  }
  uint64_t end = 0;
  const auto view = [&](const TensorPlan& tensor, const Shape& shape) {
    const uint64_t size = BytesOf(tensor, shape);
    return TensorView{tensor.spec.type, shape, HostRegion(bytes.subspan(Take(end, size), size))};
  };
  for (size_t i = 0; i < probe.inputs.size(); ++i)
    read.inputs.push_back(view(plan.inputs[i], probe.inputs[i]));
  for (size_t i = 0; i < probe.outputs.size(); ++i)
    read.answers.push_back(view(plan.outputs[i], probe.outputs[i]));
  return read;
}

Result<Probe> WriteProbe(std::span<const TensorView> inputs, std::span<const TensorView> answers,
                         std::vector<double> tolerances, std::string reference,
                         const std::filesystem::path& directory) {
  Probe probe;
  probe.reference = std::move(reference);
  probe.tolerances = std::move(tolerances);
  std::string content;
  for (const TensorView& input : inputs) {
    probe.inputs.push_back(input.shape);
    Append(content, input);
  }
  for (const TensorView& answer : answers) {
    probe.outputs.push_back(answer.shape);
    Append(content, answer);
  }
  TRY(WriteFileAtomically(directory / kProbeFile, content));
  TRY_ASSIGN(std::string sha256, Sha256OfFile(directory / kProbeFile));
  probe.file = {kProbeFile, ByteCount{content.size()}, std::move(sha256)};
  return probe;
}

}  // namespace tessera::plan
