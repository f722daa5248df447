#include "tessera/triton/settings.h"

#include <gtest/gtest.h>

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
