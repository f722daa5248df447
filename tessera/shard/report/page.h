// The page without its content, from page.html; the build makes the .cc.
#pragma once

#include <string_view>

namespace tessera::shard::report {

extern const std::string_view kPage;

}  // namespace tessera::shard::report
