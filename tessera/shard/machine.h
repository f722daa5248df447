// What a machine can do, as the cost model sees it: measured times by size, for each number of ranks that
// share it. The file form is documented in docs/reference/machine.md.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/base/collective.h"
#include "tessera/base/result.h"

namespace tessera::shard {

// A time that grows with a size. Between measured points it is a power law (a line in log-log); past the last
// one, proportional to the size.
class Curve {
 public:
  struct Point {
    double size = 0;
    double us = 0;
    bool operator==(const Point&) const = default;
  };
  // Below the first point: nothing is too small to cost its latency, or the latency is counted elsewhere.
  enum class Small { kConstant, kProportional };

  // `points`: at least one, sizes rising, times above 0 and not falling.
  Curve(std::vector<Point> points, Small small);
  // `fixed_us` and a microsecond for every `per_us`.
  static Curve Affine(double fixed_us, double per_us);

  double At(double size) const;
  Curve Scaled(double factor) const;
  const std::vector<Point>& points() const { return points_; }
  bool operator==(const Curve&) const = default;

 private:
  std::vector<Point> points_;
  Small small_;
};

// The figures for one number of ranks, all of them at work: cores and memory that they share are shared here.
struct Speeds {
  int ranks = 1;
  int threads_per_rank = 1;              // 0: the ranks are no threads (GPUs)
  double step_us = 0;                    // of a step beside its ops: handing in and out, waking the ranks
  double launch_us = 0;                  // of an op, however small
  Curve gemm = Curve::Affine(0, 50e3);   // of matrix products, without the launch, by flops
  Curve memory = Curve::Affine(0, 8e3);  // of element-wise ops, without the launch, by bytes read and written
  // By the bytes of the larger of what a rank sends and gets. None where ranks == 1; else those of
  // MeasuredCollectives().
  std::map<CollectiveOp, Curve> collectives;

  double Collective(CollectiveOp op, double bytes) const;
  bool operator==(const Speeds&) const = default;
};

// all_reduce, all_gather, reduce_scatter, all_to_all: what the compiler emits.
const std::vector<CollectiveOp>& MeasuredCollectives();

struct Machine {
  enum class Device { kCpu, kGpu };

  std::string name;
  Device device = Device::kCpu;
  int cores = 1;  // CPU: that the ranks share; GPU: how many GPUs
  std::vector<Speeds>
      speeds;  // by rising number of ranks; the first for one rank, the second for two or more

  // The figures for `ranks` >= 1. Where they were not measured, those of the nearest smaller number: work in
  // proportion to the ranks on a core, collectives also to the bytes that each rank moves in a ring.
  Speeds For(int ranks) const;
};

// The device that an engine's ranks run on.
Machine::Device DeviceOf(std::string_view engine);
std::string_view Name(Machine::Device device);

// Built in: "cpu" (a core of its own for each rank) and "h200" (GPUs with NVLink). Where the figures come
// from stands in docs/reference/machine.md.
std::vector<std::string_view> BuiltInMachines();
// Errors: kNotFound (lists the names).
Result<Machine> BuiltInMachine(std::string_view name);
// The one that is assumed when none is named.
const Machine& DefaultMachine(Machine::Device device);

// A table as text and as a file. Errors: kNotFound, kInvalidArgument (not JSON, a missing, unknown or wrong
// field: the line names it, the got and the wanted), kUnsupported (a newer version).
std::string MachineToJson(const Machine& machine);
Result<Machine> MachineFromJson(std::string_view text);
Result<Machine> ReadMachine(const std::filesystem::path& file);
Result<void> WriteMachine(const Machine& machine, const std::filesystem::path& file);

}  // namespace tessera::shard
