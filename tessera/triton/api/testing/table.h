// What a set of Triton headers declares, as text that can be compared.
#pragma once

#include <map>
#include <string>

namespace tessera::triton::testing {

// Name of a function -> its type; name of an enumerator -> its value.
using Table = std::map<std::string, std::string>;

Table OwnTable();       // tessera/triton/api/triton.h
Table OfficialTable();  // triton/core/tritonbackend.h

}  // namespace tessera::triton::testing
