// Small sharded models made on the spot: rank ONNX files, the stand-in's plans for them, and the plan.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/testing/temporary_directory.h"
#include "tessera/base/types.h"
#include "tessera/plan/plan.h"
#include "tests/gpu/half.h"

namespace tessera::gputest {

using TempDirectory = ::tessera::testing::TemporaryDirectory;

// y[m,n] = relu(x[m,k] w1[k,f]) w2[f,n], the hidden dimension split over the ranks, one all-reduce. fp16, m
// is free from 1 to most_m.
struct Mlp {
  int64_t k = 256, f = 512, n = 256;
  int64_t best_m = 16, most_m = 64;
  unsigned seed = 1;
  // So many times the rank's part of it comes before, with the same weights once more, for loads that are
  // large and files that are not: k = n then, and answers that mean nothing.
  int more_weights = 0;
  int64_t second_most_m = 0;  // largest m, and the best, of a second profile; 0: there is one only
  bool picked = false;        // y has the rows for which keep[m] is true, an input of BOOL
  bool reshaped = false;      // y becomes as the values of s[3] say, a shape tensor of INT64
  std::map<std::string, std::string> declared{};  // what the engines say of x or y: see standin::PlanFile
};
Result<plan::Plan> WriteMlp(const Mlp& mlp, int ranks, const std::filesystem::path& directory);
// Writes plan.json beside the ranks' engine files, with their sizes and checksums and without other files.
Result<void> CompletePlan(plan::Plan plan, const std::filesystem::path& directory);
// A row of y from its row of x, added up in double precision by this CPU.
std::vector<double> MlpRow(const Mlp& mlp, const uint16_t* x);

// The same MLP with its rows split over the ranks, as a tool that shards for context writes it: one engine
// for all ranks that takes x whole, cuts its part out of it with a reduce_scatter (the maximum of equal
// values) and puts y together with an all-gather. No plan belongs to it. m is a multiple of `ranks`.
Result<void> WriteRowSplitMlp(const Mlp& mlp, int ranks, const std::filesystem::path& directory);

// y = the first row of x[rows, columns] (fp32), x whole on every rank: all that a step does is to bring x
// there.
Result<plan::Plan> WriteFirstRow(int64_t rows, int64_t columns, int ranks,
                                 const std::filesystem::path& directory);

}  // namespace tessera::gputest
