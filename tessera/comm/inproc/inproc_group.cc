#include "tessera/comm/inproc/inproc_group.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <atomic>
#include <cstring>
#include <string>
#include <utility>

#include "tessera/comm/inproc/call.h"
#include "tessera/comm/inproc/exchange.h"
#include "tessera/comm/inproc/gate.h"

namespace tessera::comm {
namespace {

// Up to here a rank posts a copy of what it sends and everybody works for himself: the ranks meet once, not
// twice.
constexpr size_t kEagerBytes = 16 * 1024;

// What one rank posts. Calls take turns between two sets: whoever begins the next but one has met all ranks
// in the next, so nobody reads what he overwrites.
struct alignas(64) Desk {
  std::atomic<uint64_t> begun{0};  // calls
  std::array<Call, 2> calls;
  std::array<std::unique_ptr<std::byte[]>, 2> copies;
};

struct Group {
  explicit Group(int world_size)
      : enter(world_size), leave(world_size), desks(static_cast<size_t>(world_size)) {
    for (Desk& desk : desks) {
      for (auto& copy : desk.copies) copy = std::make_unique_for_overwrite<std::byte[]>(kEagerBytes);
    }
  }

  Gate enter;  // all have posted
  Gate leave;  // nobody touches another's buffers any more. Never closes: all who entered come, without
               // waiting
  std::vector<Desk> desks;  // by rank
};

class InprocCommunicator final : public Communicator {
 public:
  InprocCommunicator(std::shared_ptr<Group> group, Rank rank)
      : group_(std::move(group)),
        rank_(rank),
        by_rank_(group_->desks.size()),
        buffers_(group_->desks.size()) {}

  ~InprocCommunicator() override {
    Abort({Code::kPeerLost, fmt::format("rank {} left the group", rank_.value()), rank_.value(), __FILE__,
           __LINE__});
  }

  Rank rank() const override { return rank_; }
  int world_size() const override { return static_cast<int>(group_->desks.size()); }
  MemoryKind memory() const override { return MemoryKind::kHost; }

  Result<void> Run(const Collective& what, Bytes send, MutableBytes recv, Deadline deadline) override {
    const Call& call = Post(MakeCall(what, rank_, world_size(), send, recv));
    TRY(group_->enter.Pass(deadline, [&] { return Late(call); }));
    ReadPosts();
    TRY(Agree(by_rank_));
    const Exchange exchange{call.what, call.block, buffers_};
    if (Eager(call)) {
      Pull(exchange, rank_);
      return {};
    }
    Share(exchange, rank_);
    return group_->leave.Pass(Deadline::Never(), [] { return Error{}; });
  }

  void Abort(const Error& reason) noexcept override { group_->enter.Close(reason); }

 private:
  bool Eager(const Call& call) const { return SendBytes(call, world_size()) <= kEagerBytes; }

  // Lays out the call for the others. A wrong one too: they would wait for it.
  const Call& Post(Call made) {
    Desk& desk = group_->desks[static_cast<size_t>(rank_.value())];
    Call& call = desk.calls[entered_ % 2];
    call = std::move(made);
    if (const size_t bytes = SendBytes(call, world_size()); bytes > 0 && Eager(call) && Sends(call, rank_)) {
      std::byte* copy = desk.copies[entered_ % 2].get();
      std::memcpy(copy, call.buffers.send, bytes);
      call.buffers.send = copy;
    }
    desk.begun.store(entered_ + 1, std::memory_order_relaxed);
    return call;
  }

  void ReadPosts() {
    for (size_t rank = 0; rank < by_rank_.size(); ++rank) {
      by_rank_[rank] = &group_->desks[rank].calls[entered_ % 2];
      buffers_[rank] = by_rank_[rank]->buffers;
    }
    ++entered_;
  }

  Error Late(const Call& call) const {
    std::vector<int> missing;
    for (size_t rank = 0; rank < by_rank_.size(); ++rank) {
      if (group_->desks[rank].begun.load(std::memory_order_relaxed) > entered_) continue;
      missing.push_back(static_cast<int>(rank));
    }
    return {Code::kDeadline,
            fmt::format("{} (call {} of the group) is past its deadline on rank {}; not there yet: {}",
                        Describe(call), entered_ + 1, rank_.value(),
                        missing.empty() ? "none" : fmt::format("rank {}", fmt::join(missing, ", "))),
            missing.empty() ? rank_.value() : missing.front(), __FILE__, __LINE__};
  }

  const std::shared_ptr<Group> group_;
  const Rank rank_;
  uint64_t entered_ = 0;              // calls that all ranks have come to
  std::vector<const Call*> by_rank_;  // of the call that was entered last
  std::vector<Buffers> buffers_;
};

}  // namespace

Result<std::vector<std::unique_ptr<Communicator>>> CreateInprocGroup(int world_size) {
  if (world_size < 1) return Fail(Code::kInvalidArgument, "world size is {}, want at least 1", world_size);
  auto group = std::make_shared<Group>(world_size);
  std::vector<std::unique_ptr<Communicator>> ends;
  for (int rank = 0; rank < world_size; ++rank) {
    ends.push_back(std::make_unique<InprocCommunicator>(group, Rank{rank}));
  }
  return ends;
}

}  // namespace tessera::comm
