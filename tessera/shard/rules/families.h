// The families of rules; each file of this folder adds one to the table. A new op is a line there.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tessera/shard/rule.h"

namespace tessera::shard {

using RuleMaker = std::function<std::optional<Rule>(const OpView&)>;
using RuleTable = std::map<std::string, RuleMaker, std::less<>>;  // by op_type of the default domain

void AddElementwise(RuleTable& table);
void AddContractions(RuleTable& table);
void AddMovement(RuleTable& table);
void AddIndexing(RuleTable& table);
void AddNormalization(RuleTable& table);
void AddReductions(RuleTable& table);
void AddConvolution(RuleTable& table);
void AddAttention(RuleTable& table);
void AddSpatial(RuleTable& table);
void AddQuantized(RuleTable& table);
void AddRecurrent(RuleTable& table);

// The rule of an op whose output 0 has the dimensions of input 0, those in `whole` never cut.
std::optional<Rule> PassThrough(const OpView& op, const std::vector<int>& whole = {});

// Words for `count` dimensions that are never cut, lettered from `first` on: "A! B! ".
std::string WholeDims(size_t count, char first);

}  // namespace tessera::shard
