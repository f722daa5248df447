// Our log lines in the server's log.
#pragma once

namespace tessera::triton {

// From now on TESSERA_LOG writes to the server's log, as the server's own verbosity allows.
void UseServerLog();

// Takes over the server's verbosity, which its clients may have changed (v2/logging). Cheap.
void FollowServerVerbosity();

// Back to stderr, before the server goes.
void LeaveServerLog();

}  // namespace tessera::triton
