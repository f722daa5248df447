// Rules in writing, as in the literature: "* m k+, * k+ n -> * m n".
#pragma once

#include <map>
#include <optional>
#include <string_view>

#include "tessera/shard/rule.h"

namespace tessera::shard {

// Reads `text` for the shapes of `op`:
//   a letter         a factor; its size is that of the dimension
//   (h d)            a dimension made of factors, major first; sizes of all but one letter must be told in
//   `sizes` k+               cutting k leaves Partial(sum); k> max, k< min, k~ avg s!               never cut
//   .                a dimension that is never cut and has no letter
//   *                the dimensions that are left, aligned at the right over all operands that have `*`, of
//   size 1
//                    where broadcast
//   ()               an operand with no dimensions named: none of them is cut
//   operands         separated by commas; one that the node lacks is skipped
// nullopt when a rank does not fit or a letter would have two sizes.
std::optional<Rule> ReadRule(const OpView& op, std::string_view text,
                             const std::map<char, int64_t>& sizes = {});

}  // namespace tessera::shard
