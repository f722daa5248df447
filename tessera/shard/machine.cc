#include "tessera/shard/machine.h"

#include <algorithm>
#include <cmath>

namespace tessera::shard {
namespace {

// Of the bytes of a collective, the part that a rank exchanges with others.
double RingShare(int ranks) {
  return static_cast<double>(ranks - 1) / static_cast<double>(ranks);
}

// Cores that work for one rank, at most as many as it has threads.
double CoresOfRank(const Machine& machine, int threads, int ranks) {
  return std::min(static_cast<double>(threads), static_cast<double>(machine.cores) / ranks);
}

Speeds Scale(const Speeds& measured, double work, int ranks) {
  Speeds scaled = measured;
  scaled.ranks = ranks;
  scaled.step_us *= work;
  scaled.launch_us *= work;
  scaled.gemm = measured.gemm.Scaled(work);
  scaled.memory = measured.memory.Scaled(work);
  const double exchanged = measured.ranks > 1 ? RingShare(ranks) / RingShare(measured.ranks) : 1;
  for (auto& [op, curve] : scaled.collectives) curve = curve.Scaled(work * exchanged);
  return scaled;
}

}  // namespace

Curve::Curve(std::vector<Point> points, Small small) : points_(std::move(points)), small_(small) {}

Curve Curve::Affine(double fixed_us, double per_us) {
  std::vector<Point> points;
  constexpr double kStep = 2;  // fine enough that a line in log-log is nearly one
  for (double size = 1; size < 1e12; size *= kStep) points.push_back({size, fixed_us + size / per_us});
  return {std::move(points), Small::kProportional};
}

double Curve::At(double size) const {
  if (!(size > 0)) return small_ == Small::kConstant ? points_.front().us : 0;
  const auto next = std::upper_bound(points_.begin(), points_.end(), size,
                                     [](double s, const Point& point) { return s < point.size; });
  if (next == points_.end()) return points_.back().us * size / points_.back().size;
  if (next == points_.begin()) {
    return small_ == Small::kConstant ? next->us : next->us * size / next->size;
  }
  const Point& before = *(next - 1);
  const double along = std::log(size / before.size) / std::log(next->size / before.size);
  return before.us * std::pow(next->us / before.us, along);
}

Curve Curve::Scaled(double factor) const {
  Curve scaled = *this;
  for (Point& point : scaled.points_) point.us *= factor;
  return scaled;
}

double Speeds::Collective(CollectiveOp op, double bytes) const {
  const auto found = collectives.find(op);
  return found == collectives.end() ? 0 : found->second.At(bytes);
}

const std::vector<CollectiveOp>& MeasuredCollectives() {
  static const std::vector<CollectiveOp> all{CollectiveOp::kAllReduce, CollectiveOp::kAllGather,
                                             CollectiveOp::kReduceScatter, CollectiveOp::kAllToAll};
  return all;
}

Speeds Machine::For(int ranks) const {
  const Speeds* base = &speeds.front();
  for (const Speeds& measured : speeds) {
    const bool second = &measured == &speeds[1] && ranks > 1;  // the smallest number that has collectives
    if (second || measured.ranks <= ranks) base = &measured;
  }
  if (base->ranks == ranks) return *base;
  if (base->threads_per_rank == 0) return Scale(*base, 1, ranks);
  const double work = CoresOfRank(*this, base->threads_per_rank, base->ranks) /
                      CoresOfRank(*this, base->threads_per_rank, ranks);
  Speeds scaled = Scale(*base, work, ranks);
  scaled.threads_per_rank = std::max(1, std::min(base->threads_per_rank, cores / ranks));
  return scaled;
}

Machine::Device DeviceOf(std::string_view engine) {
  return engine == "tensorrt" ? Machine::Device::kGpu : Machine::Device::kCpu;
}

std::string_view Name(Machine::Device device) {
  return device == Machine::Device::kGpu ? "gpu" : "cpu";
}

}  // namespace tessera::shard
