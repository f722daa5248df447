#include "tessera/cli/dim_option.h"

#include <gtest/gtest.h>

namespace tessera::cli {
namespace {

TEST(ParseDims, ReadsNamesAndSizes) {
  auto dims = ParseDims({"batch=4", "a=b=7"});  // a name may hold '='
  ASSERT_TRUE(dims);
  EXPECT_EQ(*dims, (std::map<std::string, int64_t>{{"batch", 4}, {"a=b", 7}}));
}

TEST(ParseDims, RefusesWhatIsNoPositiveSize) {
  for (const char* text :
       {"batch", "=4", "batch=", "batch=0", "batch=-1", "batch=4x", "batch=99999999999999999999"}) {
    auto dims = ParseDims({text});
    ASSERT_FALSE(dims) << text;
    EXPECT_EQ(dims.error().message,
              std::string("--dim '") + text + "': wanted NAME=SIZE with a positive size");
  }
}

}  // namespace
}  // namespace tessera::cli
