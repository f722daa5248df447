// A machine's table as text. Each struct has one writer and one reader, side by side.
#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "tessera/base/file.h"
#include "tessera/plan/json_reader.h"
#include "tessera/shard/machine.h"

namespace tessera::shard {
namespace {

using Json = nlohmann::ordered_json;
using plan::JsonField;

constexpr const char* kFormat = "tessera-machine";
constexpr int64_t kVersion = 1;
constexpr int64_t kMostInt = std::numeric_limits<int>::max();

Result<int> IntAt(const JsonField& field, std::string_view name, int least) {
  TRY_ASSIGN(const JsonField value, field.At(name));
  TRY_ASSIGN(const int64_t number, value.Int(least, kMostInt));
  return static_cast<int>(number);
}

// A time or a size: `least` 0 allows none, else it must be above 0.
Result<double> NumberAt(const JsonField& field, std::string_view name, bool zero_too) {
  TRY_ASSIGN(const JsonField value, field.At(name));
  TRY_ASSIGN(const double number, value.Number());
  if (!std::isfinite(number) || number < 0 || (number == 0 && !zero_too))
    return value.Unwanted(zero_too ? "a number from 0" : "a number above 0");
  return number;
}

bool HasParts(const Json& value) {
  return std::any_of(value.begin(), value.end(), [](const Json& part) { return part.is_structured(); });
}

// A curve takes a line, what holds curves one for each.
std::string Text(const Json& value, const std::string& margin) {
  const bool tall = value.is_structured() && std::any_of(value.begin(), value.end(), HasParts);
  if (!tall) return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string text;
  for (const auto& [key, part] : value.items()) {
    text += fmt::format("{}\n{} ", text.empty() ? "" : ",", margin);
    if (value.is_object()) text += Json(key).dump() + ": ";
    text += Text(part, margin + " ");
  }
  return fmt::format("{}{}\n{}{}", value.is_object() ? '{' : '[', text, margin,
                     value.is_object() ? '}' : ']');
}

Json WriteCurve(const Curve& curve, const char* size) {
  Json points = Json::array();
  for (const Curve::Point& point : curve.points()) points.push_back({{size, point.size}, {"us", point.us}});
  return points;
}

Result<Curve> ReadCurve(const JsonField& parent, std::string_view name, const char* size,
                        Curve::Small small) {
  TRY_ASSIGN(const JsonField field, parent.At(name));
  Curve::Point last;
  const auto read = [&](const JsonField& item) -> Result<Curve::Point> {
    TRY(item.OnlyHas({size, "us"}));
    Curve::Point point;
    TRY_ASSIGN(point.size, NumberAt(item, size, false));
    TRY_ASSIGN(point.us, NumberAt(item, "us", false));
    if (point.size <= last.size || point.us < last.us) {
      return Fail(Code::kInvalidArgument,
                  "'{}' is {} {} in {} us behind {} in {} us, wanted rising sizes and no falling time",
                  item.path(), point.size, size, point.us, last.size, last.us);
    }
    last = point;
    return point;
  };
  TRY_ASSIGN(auto points, field.List(read));
  if (points.empty()) return field.Unwanted("at least one point");
  return Curve(std::move(points), small);
}

Json WriteSpeeds(const Speeds& speeds) {
  Json collectives = Json::object();
  for (const auto& [op, curve] : speeds.collectives) collectives[Name(op)] = WriteCurve(curve, "bytes");
  return {{"ranks", speeds.ranks},
          {"threads_per_rank", speeds.threads_per_rank},
          {"step_us", speeds.step_us},
          {"launch_us", speeds.launch_us},
          {"gemm", WriteCurve(speeds.gemm, "flops")},
          {"memory", WriteCurve(speeds.memory, "bytes")},
          {"collectives", collectives}};
}

Result<void> ReadCollectives(const JsonField& field, Speeds& speeds) {
  TRY_ASSIGN(const JsonField collectives, field.At("collectives"));
  if (speeds.ranks == 1) return collectives.OnlyHas({});
  TRY(collectives.OnlyHas({Name(CollectiveOp::kAllReduce), Name(CollectiveOp::kAllGather),
                           Name(CollectiveOp::kReduceScatter), Name(CollectiveOp::kAllToAll)}));
  for (const CollectiveOp op : MeasuredCollectives()) {
    TRY_ASSIGN(Curve curve, ReadCurve(collectives, Name(op), "bytes", Curve::Small::kConstant));
    speeds.collectives.emplace(op, std::move(curve));
  }
  return {};
}

Result<Speeds> ReadSpeeds(const JsonField& field) {
  TRY(field.OnlyHas({"ranks", "threads_per_rank", "step_us", "launch_us", "gemm", "memory", "collectives"}));
  Speeds speeds;
  TRY_ASSIGN(speeds.ranks, IntAt(field, "ranks", 1));
  TRY_ASSIGN(speeds.threads_per_rank, IntAt(field, "threads_per_rank", 0));
  TRY_ASSIGN(speeds.step_us, NumberAt(field, "step_us", true));
  TRY_ASSIGN(speeds.launch_us, NumberAt(field, "launch_us", true));
  TRY_ASSIGN(speeds.gemm, ReadCurve(field, "gemm", "flops", Curve::Small::kProportional));
  TRY_ASSIGN(speeds.memory, ReadCurve(field, "memory", "bytes", Curve::Small::kProportional));
  TRY(ReadCollectives(field, speeds));
  return speeds;
}

// One rank first, then rising; threads where and only where the device has them.
Result<void> CheckSpeeds(const JsonField& field, const Machine& machine) {
  if (machine.speeds.size() < 2 || machine.speeds[0].ranks != 1) {
    return Fail(Code::kInvalidArgument, "'{}' has {} entries, wanted one for 1 rank and some for more",
                field.path(), machine.speeds.size());
  }
  for (size_t i = 0; i < machine.speeds.size(); ++i) {
    const Speeds& speeds = machine.speeds[i];
    if (i > 0 && speeds.ranks <= machine.speeds[i - 1].ranks) {
      return Fail(Code::kInvalidArgument, "'{}[{}].ranks' is {} behind {}, wanted rising numbers",
                  field.path(), i, speeds.ranks, machine.speeds[i - 1].ranks);
    }
    if ((speeds.threads_per_rank == 0) != (machine.device == Machine::Device::kGpu)) {
      return Fail(Code::kInvalidArgument, "'{}[{}].threads_per_rank' is {}, wanted {}", field.path(), i,
                  speeds.threads_per_rank,
                  machine.device == Machine::Device::kGpu ? "0 for GPUs" : "at least 1 for a CPU");
    }
  }
  return {};
}

Result<Machine> ReadDocument(const JsonField& field) {
  TRY(field.CheckFormat(kFormat, kVersion, "table"));
  TRY(field.OnlyHas({"format", "version", "name", "device", "cores", "speeds"}));
  Machine machine;
  TRY_ASSIGN(const JsonField name, field.At("name"));
  TRY_ASSIGN(machine.name, name.String());
  TRY_ASSIGN(const JsonField device_field, field.At("device"));
  TRY_ASSIGN(const std::string device, device_field.String());
  if (device != "cpu" && device != "gpu") return device_field.Unwanted("cpu or gpu");
  machine.device = device == "gpu" ? Machine::Device::kGpu : Machine::Device::kCpu;
  TRY_ASSIGN(machine.cores, IntAt(field, "cores", 1));
  TRY_ASSIGN(const JsonField speeds, field.At("speeds"));
  TRY_ASSIGN(machine.speeds, speeds.List(ReadSpeeds));
  TRY(CheckSpeeds(speeds, machine));
  return machine;
}

}  // namespace

std::string MachineToJson(const Machine& machine) {
  Json speeds = Json::array();
  for (const Speeds& entry : machine.speeds) speeds.push_back(WriteSpeeds(entry));
  const Json document{{"format", kFormat},      {"version", kVersion},
                      {"name", machine.name},   {"device", Name(machine.device)},
                      {"cores", machine.cores}, {"speeds", speeds}};
  return Text(document, "") + "\n";
}

Result<Machine> MachineFromJson(std::string_view text) {
  return plan::ReadJson(text, ReadDocument);
}

Result<Machine> ReadMachine(const std::filesystem::path& file) {
  TRY_ASSIGN(const std::string text, ReadFile(file));
  Result<Machine> machine = MachineFromJson(text);
  if (!machine) {
    Error error = std::move(machine).error();
    error.message = fmt::format("{}: {}", file.string(), error.message);
    return tl::unexpected<Error>(std::move(error));
  }
  return machine;
}

Result<void> WriteMachine(const Machine& machine, const std::filesystem::path& file) {
  const std::string text = MachineToJson(machine);
  TRY(MachineFromJson(text));  // what cannot be read again is not written
  return WriteFileAtomically(file, text);
}

}  // namespace tessera::shard
