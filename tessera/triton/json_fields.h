// Reading the server's JSON form of a ModelConfig.
#pragma once

#include <nlohmann/json.hpp>

#include "tessera/base/types.h"

namespace tessera::triton {

// The field, or null.
const nlohmann::json& Field(const nlohmann::json& object, const char* name);

// Whether it is there and holds something.
bool Given(const nlohmann::json& object, const char* name);

// The server writes 64-bit numbers as numbers or, as protobuf does, as strings.
int64_t ReadNumber(const nlohmann::json& number);
Shape ReadShape(const nlohmann::json& dims);

}  // namespace tessera::triton
