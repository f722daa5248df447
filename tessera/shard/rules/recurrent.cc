// Recurrent ops: sequences of a batch are independent, everything else stays whole.
#include "tessera/shard/notation.h"
#include "tessera/shard/rules/families.h"

namespace tessera::shard {
namespace {

// Inputs X, W, R, B, sequence_lens, initial_h, then initial_c and peepholes of an LSTM; outputs Y, Y_h, Y_c.
std::optional<Rule> Recurrent(const OpView& op) {
  const bool batch_first = op.node().Int("layout", 0) != 0;
  const std::string x = batch_first ? "b s! i!" : "s! b i!";
  const std::string state = batch_first ? "b d! h!" : "d! b h!";
  const std::string y = batch_first ? "b t! e! f!" : "t! e! b f!";
  return ReadRule(
      op, x + ", (), (), (), b, " + state + ", " + state + ", () -> " + y + ", " + state + ", " + state);
}

}  // namespace

void AddRecurrent(RuleTable& table) {
  table["LSTM"] = table["GRU"] = table["RNN"] = Recurrent;
}

}  // namespace tessera::shard
