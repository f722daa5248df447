// ValueInfoProto to Value and back.
#pragma once

#include <map>
#include <string>

#include "tessera/graph/graph.h"
#include "tessera/graph/schema.h"

namespace tessera::graph {

// The numbers of the model's named dimensions, in the order they are met.
class SymbolTable {
 public:
  int32_t NumberOf(const std::string& name);
  SymbolNames TakeNames() { return std::move(names_); }

 private:
  std::map<std::string, int32_t> numbers_;
  SymbolNames names_;
};

// Gives `value` the type and shape that `info` declares, and keeps what a Value does not hold in its `rest`.
void ReadValueInfo(pb::ValueInfoProto info, SymbolTable& symbols, Value& value);

pb::ValueInfoProto WriteValueInfo(const Value& value, const SymbolNames& symbol_names);

}  // namespace tessera::graph
