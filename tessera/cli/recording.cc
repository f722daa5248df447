#include "tessera/cli/recording.h"

#include <algorithm>
#include <utility>

#include "tessera/cli/npz.h"

namespace tessera::cli {
namespace {

class Recording : public Runner {
 public:
  Recording(plan::Plan plan, std::vector<HostTensor> outputs)
      : plan_(std::move(plan)), outputs_(std::move(outputs)) {}

  const plan::Plan& plan() const override { return plan_; }
  Result<const std::vector<HostTensor>*> Run(std::span<const HostTensor>) override { return &outputs_; }

 private:
  plan::Plan plan_;
  std::vector<HostTensor> outputs_;
};

}  // namespace

Result<std::unique_ptr<Runner>> ReadRecording(const plan::Plan& plan, const std::filesystem::path& file) {
  TRY_ASSIGN(std::vector<HostTensor> given, ReadNpz(file));
  const auto named = [](const std::string& name) {
    return [&name](const auto& tensor) { return tensor.spec.name == name; };
  };
  for (const HostTensor& tensor : given) {
    const auto& outputs = plan.outputs;
    if (std::any_of(outputs.begin(), outputs.end(), named(tensor.spec.name))) continue;
    return Fail(Code::kInvalidArgument, "'{}': array '{}' is no output of the model", file.string(),
                tensor.spec.name);
  }
  for (const plan::TensorPlan& output : plan.outputs) {
    if (std::any_of(given.begin(), given.end(), named(output.spec.name))) continue;
    return Fail(Code::kInvalidArgument, "'{}': no array '{}' for the output of that name", file.string(),
                output.spec.name);
  }
  return std::make_unique<Recording>(plan, std::move(given));
}

}  // namespace tessera::cli
