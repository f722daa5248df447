// One collective with known inputs and answers, on the ranks of this process.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tessera/comm/conformance/conformance.h"

namespace tessera::comm::conformance {

// Runs `body` for every end in a thread of its own and waits for all.
void OnEveryRank(Group& group, const std::function<void(Communicator&)>& body);

// Long enough for any machine, short enough that a hang is told before the test's own limit.
Deadline Generous();

enum class Place { kApart, kInPlace };

class Trial {
 public:
  // Lays out n elements a block on every rank of this process. kInPlace requires MayBeInPlace(what.op).
  Trial(Group& group, const Collective& what, size_t n, unsigned seed, Place place = Place::kApart);

  // The call of one rank, on its thread.
  Result<void> Run(Communicator& end, Deadline deadline);
  // After Run: the answers are right and nothing else was written.
  void Check(Communicator& end) const;
  // What the rank got.
  std::vector<std::byte> Got(Communicator& end) const;

  // Run and Check on every rank.
  void RunAndCheck();

 private:
  struct Side {
    size_t send_bytes = 0;
    size_t recv_bytes = 0;
    std::vector<std::byte> sent;
    std::unique_ptr<Buffer> send;  // null in place
    std::unique_ptr<Buffer> recv;
  };
  const Side& side(Communicator& end) const { return sides_[static_cast<size_t>(end.rank().value())]; }

  Group& group_;
  const Collective what_;
  const size_t n_;
  const unsigned seed_;
  std::vector<Side> sides_;  // by rank; empty for ranks of other processes
};

// Whether send and recv have the same size.
bool MayBeInPlace(CollectiveOp op);

}  // namespace tessera::comm::conformance
