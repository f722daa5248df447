#include "tessera/triton/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/base/deadline.h"

namespace tessera::triton {
namespace {

using nlohmann::json;

json WithParameter(const char* name, const char* value) {
  return {{"parameters", {{name, {{"string_value", value}}}}}};
}

TEST(ReadSettings, HasDefaultsForAnEmptyConfiguration) {
  Settings settings = ReadSettings(json::object()).value();
  EXPECT_EQ(settings.max_batch_size, 0);
  EXPECT_EQ(settings.step_limit, std::chrono::minutes(1));
  EXPECT_FALSE(settings.multi_device);
}

TEST(ReadSettings, TakesTheParameters) {
  EXPECT_EQ(ReadSettings(WithParameter("request_timeout_ms", "250"))->step_limit,
            std::chrono::milliseconds(250));
  EXPECT_EQ(ReadSettings(WithParameter("threads_per_rank", "2"))->threads_per_rank, 2);
  EXPECT_FALSE(ReadSettings(WithParameter("threads_per_rank", "1025")));
  EXPECT_TRUE(ReadSettings(WithParameter("enable_multi_device", "true"))->multi_device);
  EXPECT_TRUE(ReadSettings(json::object())->probe);
  EXPECT_FALSE(ReadSettings(WithParameter("probe", "false"))->probe);
  EXPECT_EQ(ReadSettings(WithParameter("steps_in_flight", "1"))->steps_in_flight, 1);
  EXPECT_EQ(ReadSettings(WithParameter("steps_in_flight", "5")).error().message,
            "steps_in_flight is 5, wanted at most 4");
}

TEST(ReadSettings, TakesTheGpusInTheirOrder) {
  auto gpus = [](const char* text) { return ReadSettings(WithParameter("multi_device_gpus", text))->gpus; };
  EXPECT_EQ(gpus("0"), std::vector<DeviceId>{DeviceId(0)});
  EXPECT_EQ(gpus("3,1,10"), (std::vector<DeviceId>{DeviceId(3), DeviceId(1), DeviceId(10)}));
  for (const char* list : {" 1 ,\t0", "1,0,", ",1,0", "1,,0", "1, ,0"}) {  // NVIDIA's backend takes them
    EXPECT_EQ(gpus(list), (std::vector<DeviceId>{DeviceId(1), DeviceId(0)})) << list;
  }
}

TEST(ReadSettings, RefusesWhatIsNoListOfGpus) {
  for (const std::string value : {"", ",", " , ", "0 1", "-1", "0;1", "0x1", "one", "99999999999"}) {
    auto settings = ReadSettings(WithParameter("multi_device_gpus", value.c_str()));
    ASSERT_FALSE(settings) << value;
    EXPECT_EQ(settings.error().message,
              "multi_device_gpus is '" + value + "', wanted GPU numbers with commas between them: 0,1");
  }
  EXPECT_EQ(ReadSettings(WithParameter("multi_device_gpus", "1,0,1")).error().message,
            "multi_device_gpus is '1,0,1': GPU 1 stands there twice, each rank wants its own");
}

// As NVIDIA's backend has it: a model that was on several GPUs is back on one with a single word changed.
TEST(ReadSettings, LooksAtNothingThatGoesWithASwitchThatIsOff) {
  json config = {{"parameters",
                  {{"enable_multi_device", {{"string_value", "0"}}},
                   {"multi_device_gpus", {{"string_value", "0,x"}}},
                   {"multi_device_per_rank_engines", {{"string_value", "perhaps"}}}}}};
  const Settings settings = ReadSettings(config).value();
  EXPECT_EQ(settings.multi_device, false);
  EXPECT_TRUE(settings.gpus.empty());
  EXPECT_FALSE(settings.per_rank_engines);
  EXPECT_THAT(settings.without_effect,
              ::testing::ElementsAre(
                  "parameter multi_device_gpus has no effect: enable_multi_device is false",
                  "parameter multi_device_per_rank_engines has no effect: enable_multi_device is false"));
  config["parameters"]["enable_multi_device"]["string_value"] = "1";
  EXPECT_FALSE(ReadSettings(config));
}

TEST(ReadSettings, RefusesATruthThatIsNone) {
  for (const char* name : {"enable_multi_device", "multi_device_per_rank_engines", "cuda_graphs", "probe"}) {
    EXPECT_EQ(ReadSettings(WithParameter(name, "yes")).error().message,
              std::string(name) + " is 'yes', wanted true or false");
  }
}

TEST(ReadSettings, TakesATruthInAnyCase) {
  EXPECT_EQ(ReadSettings(WithParameter("enable_multi_device", "True"))->multi_device, true);
  EXPECT_EQ(ReadSettings(WithParameter("multi_device_per_rank_engines", "FALSE"))->per_rank_engines, false);
}

TEST(ReadSettings, TakesTheWayOfReplication) {
  using engine::ReplicationWay;
  EXPECT_EQ(ReadSettings(json::object())->replication, ReplicationWay::kAuto);
  EXPECT_EQ(ReadSettings(WithParameter("replication", "auto"))->replication, ReplicationWay::kAuto);
  EXPECT_EQ(ReadSettings(WithParameter("replication", "probe"))->replication, ReplicationWay::kProbe);
  EXPECT_EQ(ReadSettings(WithParameter("replication", "copies"))->replication, ReplicationWay::kCopies);
  EXPECT_EQ(ReadSettings(WithParameter("replication", "gather"))->replication, ReplicationWay::kGather);
  EXPECT_EQ(ReadSettings(WithParameter("replication", "Peer")).error().message,
            "replication is 'Peer', wanted auto, probe, copies or gather");
}

TEST(ReadSettings, TakesTheStrategyOfContexts) {
  constexpr const char* kName = "execution_context_allocation_strategy";
  EXPECT_FALSE(ReadSettings(json::object())->static_contexts);
  EXPECT_TRUE(ReadSettings(WithParameter(kName, "STATIC"))->static_contexts);
  EXPECT_FALSE(ReadSettings(WithParameter(kName, "ON_PROFILE_CHANGE"))->static_contexts);
  EXPECT_EQ(ReadSettings(WithParameter(kName, "static")).error().message,
            "execution_context_allocation_strategy is 'static', wanted STATIC or ON_PROFILE_CHANGE");
}

TEST(ReadSettings, TakesFilesByComputeCapabilityAndTheFirstInstancesName) {
  const Settings settings = ReadSettings({{"name", "m"},
                                          {"default_model_filename", "any.plan"},
                                          {"cc_model_filenames", {{"9.0", "hopper.plan"}}},
                                          {"instance_group",
                                           {{{"name", "m_0"}, {"kind", "KIND_MODEL"}},
                                            {{"name", "m_1"}, {"kind", "KIND_GPU"}, {"gpus", {0}}}}}})
                                .value();
  EXPECT_EQ(settings.model_file, "any.plan");
  EXPECT_EQ(settings.cc_model_files.at("9.0"), "hopper.plan");
  EXPECT_EQ(settings.first_instance, "m_1_0") << "of KIND_GPU: the model is loaded for it first";
  EXPECT_EQ(ReadSettings({{"instance_group", {{{"name", "m_0"}}}}})->first_instance, "m_0_0");
  EXPECT_EQ(ReadSettings({{"name", "m"}})->first_instance, "m");
}

TEST(ReadSettings, PrefersTheParameterOfGraphsToTheOptimization) {
  json config = {{"optimization", {{"cuda", {{"graphs", false}}}}}};
  EXPECT_FALSE(ReadSettings(config)->cuda_graphs);
  config["parameters"] = {{"cuda_graphs", {{"string_value", "true"}}}};
  EXPECT_TRUE(ReadSettings(config)->cuda_graphs);
}

TEST(ReadSettings, TakesTheProfilesOfTheGroupThatIsLoadedFirst) {
  const json model = {{"kind", "KIND_MODEL"}, {"profile", {"0", "2"}}};
  const json gpu = {{"kind", "KIND_GPU"}, {"gpus", {1}}, {"profile", {"1"}}};
  EXPECT_EQ(ReadSettings({{"instance_group", {model}}})->instance_profiles, (std::vector{0, 2}));
  const Settings both = ReadSettings({{"instance_group", {model, gpu}}}).value();
  EXPECT_EQ(both.instance_gpu, DeviceId(1));
  EXPECT_EQ(both.instance_profiles, std::vector{1});
  EXPECT_EQ(ReadProfiles({"first"}).error().message,
            "instance_group.profile is 'first', wanted the number of an optimization profile");
  EXPECT_FALSE(ReadProfiles({"-1"}));
}

TEST(ReadSettings, TakesTheProfilesOfAllGroups) {
  const json first = {{"kind", "KIND_MODEL"}, {"profile", {"0", "2"}}};
  const json second = {{"kind", "KIND_MODEL"}, {"profile", {"1"}}};
  auto profiles = [](const json& groups) {
    return ReadSettings({{"instance_group", groups}}).value().model_profiles;
  };
  EXPECT_EQ(profiles(json::array()), std::vector<int>());
  EXPECT_EQ(profiles({first, second}), (std::vector{0, 2, 1}));
  EXPECT_EQ(profiles({first, {{"kind", "KIND_MODEL"}}}), std::vector<int>());
  EXPECT_FALSE(ReadSettings({{"instance_group", {first, {{"profile", {"small"}}}}}}));
}

TEST(ReadSettings, RefusesDla) {
  const json group = {{"name", "m_0"}, {"secondary_devices", {{{"kind", "KIND_NVDLA"}, {"device_id", "0"}}}}};
  EXPECT_EQ(ReadSettings({{"instance_group", {group}}}).error().message,
            "instance_group 'm_0' lists secondary_devices (DLA), which is not served");
}

TEST(ReadSettings, RefusesPassiveInstances) {
  EXPECT_EQ(ReadSettings({{"instance_group", {{{"name", "m_0"}, {"passive", true}}}}}).error().message,
            "instance_group 'm_0' is passive, which ends the server with its first request");
}

TEST(ReadSettings, TakesALimitThatTheClockDoesNotReachForOneThatCanBeAddedTo) {
  const Settings settings = ReadSettings(WithParameter("request_timeout_ms", "9223372036854775807")).value();
  const std::chrono::nanoseconds several = 8 * settings.step_limit;
  EXPECT_GT(several, settings.step_limit);
  EXPECT_FALSE(Deadline::In(several).passed());
}

TEST(ReadSettings, RefusesAValueThatIsNotAPositiveNumber) {
  for (const char* value : {"", "0", "-1", "1.5", "10s", "99999999999999999999"}) {
    auto settings = ReadSettings(WithParameter("request_timeout_ms", value));
    ASSERT_FALSE(settings) << value;
    EXPECT_EQ(settings.error().message,
              "request_timeout_ms is '" + std::string(value) + "', wanted a positive whole number");
  }
}

}  // namespace
}  // namespace tessera::triton
