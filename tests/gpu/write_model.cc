// write_model mlp|row_split|attention FOLDER [ranks=N] [k=..] [f=..] [n=..] [best_m=..] [most_m=..] [seed=..]
//             [plan=1] [second_most_m=..] [reshaped=1] [picked=1]
//
// Writes the engine files of a small model for the stand-in: mlp has model.plan.rank0 .. (model.plan for one
// rank) and, with plan=1, plan.json; row_split has one model.plan for all ranks; attention has that and
// plan.json (attention.h), and takes no other option.
#include <cstdio>
#include <map>
#include <string>

#include "tests/gpu/attention.h"
#include "tests/gpu/models.h"

namespace tessera::gputest {
namespace {

namespace fs = std::filesystem;

struct Options {
  Mlp mlp;
  int64_t ranks = 1;
  int64_t seed = 1;
  int64_t plan = 0;
  int64_t reshaped = 0;
  int64_t picked = 0;
};

Result<Options> Parse(int argc, char** argv) {
  Options options;
  const std::map<std::string, int64_t*> places = {{"ranks", &options.ranks},
                                                  {"k", &options.mlp.k},
                                                  {"f", &options.mlp.f},
                                                  {"n", &options.mlp.n},
                                                  {"best_m", &options.mlp.best_m},
                                                  {"most_m", &options.mlp.most_m},
                                                  {"seed", &options.seed},
                                                  {"plan", &options.plan},
                                                  {"second_most_m", &options.mlp.second_most_m},
                                                  {"reshaped", &options.reshaped},
                                                  {"picked", &options.picked}};
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = std::min(word.find('='), word.size());
    const auto place = places.find(word.substr(0, equals));
    if (place == places.end() || equals == word.size()) {
      return Fail(Code::kInvalidArgument,
                  "'{}', wanted one of ranks k f n best_m most_m seed plan second_most_m "
                  "reshaped picked, =number",
                  word);
    }
    *place->second = std::atoll(word.c_str() + equals + 1);
  }
  options.mlp.seed = static_cast<unsigned>(options.seed);
  options.mlp.reshaped = options.reshaped != 0;
  options.mlp.picked = options.picked != 0;
  return options;
}

Result<void> Write(const std::string& kind, const fs::path& folder, const Options& options) {
  const int ranks = static_cast<int>(options.ranks);
  fs::create_directories(folder);
  if (kind == "row_split") return WriteRowSplitMlp(options.mlp, ranks, folder);
  if (kind == "attention") {
    TRY_ASSIGN(plan::Plan plan, WriteAttention(ranks, folder));
    return CompletePlan(std::move(plan), folder);
  }
  if (kind != "mlp") return Fail(Code::kInvalidArgument, "'{}', wanted mlp, row_split or attention", kind);
  TRY_ASSIGN(plan::Plan plan, WriteMlp(options.mlp, ranks, folder));
  if (options.plan != 0) return CompletePlan(std::move(plan), folder);
  if (ranks == 1) fs::rename(folder / "model.plan.rank0", folder / "model.plan");
  return {};
}

}  // namespace
}  // namespace tessera::gputest

int main(int argc, char** argv) {
  using namespace tessera;
  if (argc < 3) {
    std::fprintf(stderr, "usage: write_model mlp|row_split|attention FOLDER [NAME=NUMBER ..]\n");
    return 2;
  }
  const Result<gputest::Options> options = gputest::Parse(argc - 3, argv + 3);
  const Result<void> written = options ? gputest::Write(argv[1], std::filesystem::absolute(argv[2]), *options)
                                       : Result<void>(tl::unexpected<Error>(options.error()));
  if (written) return 0;
  std::fprintf(stderr, "write_model: %s\n", written.error().ToString().c_str());
  return 1;
}
