#include "tessera/shard/machine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

namespace tessera::shard {
namespace {

using Small = Curve::Small;

const char* const kTable = R"({"format": "tessera-machine", "version": 1, "name": "m", "device": "cpu",
  "cores": 4, "speeds": [
  {"ranks": 1, "threads_per_rank": 4, "step_us": 5, "launch_us": 1, "gemm": [{"flops": 100, "us": 2}],
   "memory": [{"bytes": 10, "us": 1}], "collectives": {}},
  {"ranks": 2, "threads_per_rank": 2, "step_us": 7, "launch_us": 1, "gemm": [{"flops": 100, "us": 4}],
   "memory": [{"bytes": 10, "us": 1}], "collectives": {
    "all_reduce": [{"bytes": 8, "us": 20}, {"bytes": 32, "us": 40}], "all_gather": [{"bytes": 8, "us": 10}],
    "reduce_scatter": [{"bytes": 8, "us": 10}], "all_to_all": [{"bytes": 8, "us": 10}]}}]})";

std::string Replaced(const std::string& from, const std::string& to) {
  std::string text = kTable;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string ErrorOf(const std::string& text) {
  const Result<Machine> machine = MachineFromJson(text);
  return machine ? "" : machine.error().message;
}

TEST(Curve, GoesThroughItsPointsAndIsStraightInLogLogBetween) {
  const Curve curve({{100, 10}, {10000, 1000}, {40000, 2000}}, Small::kProportional);
  EXPECT_DOUBLE_EQ(curve.At(100), 10);
  EXPECT_NEAR(curve.At(1000), 100, 1e-9);  // geometric mean of both ends
  EXPECT_NEAR(curve.At(20000), 1000 * std::sqrt(2.0), 1e-9);
  EXPECT_DOUBLE_EQ(curve.At(40000), 2000);
}

TEST(Curve, IsProportionalPastTheLastPoint) {
  const Curve curve({{10, 30}, {100, 50}}, Small::kConstant);
  EXPECT_DOUBLE_EQ(curve.At(1000), 500);
}

TEST(Curve, BelowTheFirstPointKeepsTheLatencyOrGoesToZero) {
  EXPECT_DOUBLE_EQ(Curve({{100, 30}}, Small::kConstant).At(1), 30);
  EXPECT_DOUBLE_EQ(Curve({{100, 30}}, Small::kConstant).At(0), 30);
  EXPECT_DOUBLE_EQ(Curve({{100, 30}}, Small::kProportional).At(10), 3);
  EXPECT_DOUBLE_EQ(Curve({{100, 30}}, Small::kProportional).At(0), 0);
}

TEST(Curve, AffineIsWithinAPercentOfItsLine) {
  const Curve curve = Curve::Affine(70, 4000);
  for (const double size : {3.0, 5e3, 3e5, 7e7}) EXPECT_NEAR(curve.At(size) / (70 + size / 4000), 1, 0.03);
}

TEST(Machine, ATableIsReadAsItWasWritten) {
  const auto machine = MachineFromJson(kTable);
  ASSERT_TRUE(machine) << machine.error().message;
  const auto again = MachineFromJson(MachineToJson(*machine));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->speeds, machine->speeds);
  EXPECT_EQ(again->name, "m");
  EXPECT_EQ(again->cores, 4);
}

TEST(Machine, MeasuredRanksAreTakenAsTheyAre) {
  const auto machine = MachineFromJson(kTable);
  ASSERT_TRUE(machine);
  EXPECT_EQ(machine->For(1), machine->speeds[0]);
  EXPECT_EQ(machine->For(2), machine->speeds[1]);
}

TEST(Machine, MoreRanksThanMeasuredShareTheCores) {
  const auto machine = MachineFromJson(kTable);
  ASSERT_TRUE(machine);
  const Speeds eight = machine->For(8);  // half a core each, where two ranks had two each
  EXPECT_EQ(eight.threads_per_rank, 1);
  EXPECT_DOUBLE_EQ(eight.gemm.At(100), 16);
  EXPECT_DOUBLE_EQ(eight.launch_us, 4);
  EXPECT_NEAR(eight.Collective(CollectiveOp::kAllReduce, 8), 20 * 4 * (7.0 / 8) / (1.0 / 2), 1e-9);
}

TEST(Machine, GpusDoNotShareCores) {
  const Machine& h200 = DefaultMachine(Machine::Device::kGpu);
  EXPECT_EQ(h200.For(8).gemm, h200.For(2).gemm);
  EXPECT_GT(h200.For(8).Collective(CollectiveOp::kAllReduce, 1e6),
            h200.For(2).Collective(CollectiveOp::kAllReduce, 1e6));
}

TEST(Machine, EveryBuiltInOneCanBeReadAndIsOfItsDevice) {
  for (const std::string_view name : BuiltInMachines()) {
    const auto machine = BuiltInMachine(name);
    ASSERT_TRUE(machine) << name << ": " << machine.error().message;
  }
  EXPECT_EQ(DefaultMachine(DeviceOf("openvino")).device, Machine::Device::kCpu);
  EXPECT_EQ(DefaultMachine(DeviceOf("tensorrt")).device, Machine::Device::kGpu);
  EXPECT_EQ(BuiltInMachine("toaster").error().message,
            "no built-in machine 'toaster', wanted one of: cpu, h200");
}

TEST(Machine, ABadTableIsRefusedWithTheFieldTheGotAndTheWanted) {
  EXPECT_EQ(ErrorOf("{"), "not JSON: byte 2 of 1 is unexpected");
  EXPECT_EQ(ErrorOf("[]"), "the document is a list, wanted an object");
  EXPECT_EQ(ErrorOf(Replaced("tessera-machine", "tessera-plan")),
            "'format' is \"tessera-plan\", wanted \"tessera-machine\"");
  EXPECT_EQ(ErrorOf(Replaced("\"version\": 1", "\"version\": 2")),
            "the table has version 2, this program reads up to version 1");
  EXPECT_EQ(ErrorOf(Replaced("\"cpu\"", "\"tpu\"")), "'device' is \"tpu\", wanted cpu or gpu");
  EXPECT_EQ(ErrorOf(Replaced("\"launch_us\": 1", "\"launch_us\": -1")),
            "'speeds[0].launch_us' is -1, wanted a number from 0");
  EXPECT_EQ(ErrorOf(Replaced("[{\"flops\": 100, \"us\": 2}]", "[]")),
            "'speeds[0].gemm' is a list, wanted at least one point");
  EXPECT_EQ(ErrorOf(Replaced("\"us\": 40", "\"us\": 19")),
            "'speeds[1].collectives.all_reduce[1]' is 32 bytes in 19 us behind 8 in 20 us, wanted rising "
            "sizes and no falling time");
  EXPECT_EQ(ErrorOf(Replaced("\"all_gather\": [{\"bytes\": 8, \"us\": 10}],", "")),
            "'speeds[1].collectives' has no field 'all_gather'");
  EXPECT_EQ(ErrorOf(Replaced("\"ranks\": 2", "\"ranks\": 1")),
            "'speeds[1].collectives' has the unknown field 'all_gather'");
  EXPECT_EQ(ErrorOf(Replaced("\"threads_per_rank\": 2", "\"threads_per_rank\": 0")),
            "'speeds[1].threads_per_rank' is 0, wanted at least 1 for a CPU");
  EXPECT_EQ(ErrorOf(Replaced("\"cores\": 4", "\"cores\": 4, \"colour\": 3")),
            "the document has the unknown field 'colour'");
}

TEST(Machine, AFilesErrorsNameTheFile) {
  const auto file = std::filesystem::path(::testing::TempDir()) / "bad_machine.json";
  std::ofstream(file) << "{}";
  EXPECT_EQ(ReadMachine(file).error().message, file.string() + ": the document has no field 'format'");
  std::filesystem::remove(file);
  EXPECT_EQ(ReadMachine(file).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace tessera::shard
