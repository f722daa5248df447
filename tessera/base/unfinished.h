// Threads that may never end because they wait for something that hangs: a GPU, an engine.
#pragma once

namespace tessera {

// Lives as long as such a thread does.
class Unfinished {
 public:
  Unfinished() noexcept;
  ~Unfinished();
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  static int count() noexcept;
};

// From now on, exit() of a process that has such threads ends it at once, with its status: destructors of
// what began before this call would wait for what hangs: CUDA's for its GPU, a server's for the request. To
// be called again when more has begun (CUDA's runtime begins in each library that has a copy of it). Whoever
// calls this must never be unloaded from the process.
void ExitDespiteUnfinished();
// The same, for what has begun unnoticed: of calls within a minute all but the first do nothing, for each
// call takes some memory for good.
void ExitDespiteSlowStep();

}  // namespace tessera
