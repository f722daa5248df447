#include "tessera/comm/conformance/trial.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "tessera/comm/conformance/values.h"

namespace tessera::comm::conformance {
namespace {

constexpr std::byte kUntouched{0xA5};
constexpr size_t kGuard = 64;  // bytes behind recv that nobody may write

std::vector<std::byte> Front(const Buffer& buffer, size_t size) {
  std::vector<std::byte> bytes = buffer.Read();
  bytes.resize(size);
  return bytes;
}

}  // namespace

void OnEveryRank(Group& group, const std::function<void(Communicator&)>& body) {
  std::vector<std::thread> threads;
  for (Communicator* end : group.ends()) threads.emplace_back([&body, end] { body(*end); });
  for (std::thread& thread : threads) thread.join();
}

Deadline Generous() {
  return Deadline::In(std::chrono::seconds(40));
}

bool MayBeInPlace(CollectiveOp op) {
  return op == CollectiveOp::kAllReduce || op == CollectiveOp::kBroadcast || op == CollectiveOp::kReduce ||
         op == CollectiveOp::kAllToAll;
}

Trial::Trial(Group& group, const Collective& what, size_t n, unsigned seed, Place place)
    : group_(group), what_(what), n_(n), seed_(seed) {
  const size_t element = static_cast<size_t>(BitsOf(what.type)) / 8;
  for (Communicator* end : group.ends()) {
    const Rank rank = end->rank();
    const int world_size = end->world_size();
    sides_.resize(static_cast<size_t>(world_size));
    Side& side = sides_[static_cast<size_t>(rank.value())];
    side.sent = Encode(what.type, Input(what.type, seed, rank, SendCount(what, rank, world_size, n)));
    side.send_bytes = side.sent.size();
    side.recv_bytes = RecvCount(what, rank, world_size, n) * element;
    if (place == Place::kInPlace)
      side.send_bytes = side.recv_bytes = std::max(side.send_bytes, side.recv_bytes);

    std::vector<std::byte> filled(side.recv_bytes + kGuard, kUntouched);
    if (place == Place::kInPlace) std::copy(side.sent.begin(), side.sent.end(), filled.begin());
    side.recv = group.Allocate(rank, filled.size());
    side.recv->Write(filled);
    if (place == Place::kInPlace) continue;
    side.send = group.Allocate(rank, side.sent.size());
    side.send->Write(side.sent);
  }
}

Result<void> Trial::Run(Communicator& end, Deadline deadline) {
  const Side& mine = side(end);
  MutableBytes recv = mine.recv->bytes().first(mine.recv_bytes);
  return end.Run(what_, mine.send ? Bytes(mine.send->bytes()) : Bytes(recv), recv, deadline);
}

std::vector<std::byte> Trial::Got(Communicator& end) const {
  return Front(*side(end).recv, side(end).recv_bytes);
}

void Trial::Check(Communicator& end) const {
  const Side& mine = side(end);
  const std::vector<Answer> answers = Expected(what_, seed_, end.rank(), end.world_size(), n_);
  const std::vector<double> got = Decode(what_.type, Got(end));
  ASSERT_GE(got.size(), answers.size());
  for (size_t i = 0; i < answers.size(); ++i) {
    if (std::fabs(got[i] - answers[i].value) <= answers[i].tolerance) continue;  // not so for NaN
    FAIL() << "rank " << end.rank().value() << " element " << i << " of " << answers.size() << ": got "
           << got[i] << ", want " << answers[i].value << " +- " << answers[i].tolerance;
  }
  if (mine.send) {
    EXPECT_EQ(Front(*mine.send, mine.send_bytes), mine.sent) << "send was written";
  }
  const std::vector<std::byte> all = mine.recv->Read();
  EXPECT_EQ(std::count(all.begin() + static_cast<ptrdiff_t>(mine.recv_bytes), all.end(), kUntouched), kGuard)
      << "written behind recv";
}

void Trial::RunAndCheck() {
  OnEveryRank(group_, [this](Communicator& end) {
    Result<void> ran = Run(end, Generous());
    ASSERT_TRUE(ran) << "rank " << end.rank().value() << ": " << ran.error().ToString();
    Check(end);
  });
}

}  // namespace tessera::comm::conformance
