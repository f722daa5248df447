#include "tessera/engine/openvino/openvino_engine.h"
#include "tessera/engine/testing/conformance.h"

namespace tessera::engine {
namespace {

std::unique_ptr<Engine> OneThreadPerRank() {
  return MakeOpenVinoEngine({.threads_per_rank = 1});
}
std::unique_ptr<Engine> TwoThreadsPerRank() {
  return MakeOpenVinoEngine({.threads_per_rank = 2});
}

INSTANTIATE_TEST_SUITE_P(OpenVinoOneThread, EngineConformance,
                         ::testing::Values(EngineUnderTest{OneThreadPerRank, TESSERA_ENGINE_MODELS}));
INSTANTIATE_TEST_SUITE_P(OpenVinoTwoThreads, EngineConformance,
                         ::testing::Values(EngineUnderTest{TwoThreadsPerRank, TESSERA_ENGINE_MODELS}));

}  // namespace
}  // namespace tessera::engine
