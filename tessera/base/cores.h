// How many cores this process may use.
#pragma once

#include <chrono>
#include <filesystem>

namespace tessera {

// Those that the calling thread may run on, and the threads that it starts; fewer where the CPU quota of a
// cgroup (a container's limit) gives the process less time than that, rounded up. At least 1. Reads some
// small files.
int UsableCores();

// `cores`, or what the quotas of this process' cgroups leave of them: the smallest one on the way up, as a
// container's may lie below its pod's. `root` is where /proc and /sys are.
int WithinCpuQuota(int cores, const std::filesystem::path& root = "/");

// How long a thread on the way of steps looks for the next one before it sleeps: a wake-up may take longer
// than a small step, and a server needs less than this from an answer to the next step. 0 where the process
// has few cores, on which it would be in the way of the thread that it waits for. Reads what UsableCores
// reads.
std::chrono::microseconds AwakeBetweenSteps();

}  // namespace tessera
