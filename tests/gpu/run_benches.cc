#include "tests/gpu/run_benches.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "tests/gpu/gpus.h"

namespace tessera::gputest {

int RunBenches(int argc, char** argv, const std::vector<NamedBench>& all) {
  std::vector<int> worlds;
  for (int n = 1; n <= static_cast<int>(Gpus().size()); n *= 2) worlds.push_back(n);
  if (worlds.empty()) {
    std::fprintf(stderr, "no GPU here\n");
    return 1;
  }
  int failed = 0;
  for (const auto& [name, bench] : all) {
    const bool asked = argc < 2 || std::any_of(argv + 1, argv + argc, [name = name](const char* word) {
                         return std::strcmp(word, name) == 0;
                       });
    if (!asked) continue;
    if (const Result<void> done = bench(worlds); !done) {
      std::printf("%s: FAILED: %s\n", name, done.error().ToString().c_str());
      failed = 1;
    }
    std::fflush(stdout);
  }
  return failed;
}

}  // namespace tessera::gputest
