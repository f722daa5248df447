// A RankGroup of sessions that run a thread each, for life: how the CPU ranks run. Only RankGroup::Run has
// rank 0 run in the calling thread, which would wait anyway.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/comm/communicator.h"
#include "tessera/engine/rank_group.h"
#include "tessera/engine/rank_session.h"

namespace tessera::engine {

// How long a rank that was told to stop may take before its thread is left behind (and the log says so): the
// time of one operator in a step, or of one model's compilation while loading.
inline constexpr std::chrono::seconds kStopGrace{10};

// Makes a session for each end, in the threads that will run them, and blocks until all are made. `ends` are
// the ends of one group in rank order. Errors: the first rank's that failed, kDeadline (the line names the
// ranks that are late).
//
// A rank that fails aborts the communicators and cancels the other sessions, so nobody waits for it; a step
// past its deadline is ended the same way. An error of the step's sink fails the step and nothing else: the
// ranks finish, their outputs unwanted, and the group stays usable.
Result<std::unique_ptr<RankGroup>> MakeThreadedRankGroup(
    std::vector<std::unique_ptr<comm::Communicator>> ends, const SessionFactory& make_session,
    Deadline deadline);

}  // namespace tessera::engine
