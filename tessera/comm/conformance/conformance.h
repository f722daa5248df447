// The conformance suite of the Communicator port: any adapter goes through it.
//
// An adapter's test describes itself (Adapter, Group, Buffer) and instantiates the suites that the library
// tessera_comm_conformance holds:
//
//     comm::conformance::Adapter& Mpi();
//     INSTANTIATE_TEST_SUITE_P(Mpi, EveryCollective, EveryCase(&Mpi), CaseName);   // label conformance
//     INSTANTIATE_TEST_SUITE_P(Mpi, EveryWorld, Worlds(&Mpi), WorldName);
//     INSTANTIATE_TEST_SUITE_P(Mpi, Faults, Worlds(&Mpi), WorldName);              // label fault
//
// Inputs follow from rank and seed alone, so ranks in other processes know what to expect without being
// asked.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tessera/comm/communicator.h"

namespace tessera::comm::conformance {

// Memory where a communicator wants it, of one rank.
class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual MutableBytes bytes() = 0;  // as Run takes it; the host cannot look into it unless memory() is kHost
  virtual void Write(Bytes from_host) = 0;
  virtual std::vector<std::byte> Read() const = 0;
};

// A group of an adapter.
class Group {
 public:
  virtual ~Group() = default;

  // The ends that live in this process, each to be used by a thread of its own.
  virtual std::vector<Communicator*> ends() = 0;
  virtual std::unique_ptr<Buffer> Allocate(Rank rank, size_t bytes) = 0;

  // Ends a rank as a crash of its owner would: its end is gone. False: it cannot be done.
  virtual bool Kill(Rank) { return false; }
};

class Adapter {
 public:
  virtual ~Adapter() = default;
  virtual Result<std::unique_ptr<Group>> Create(int world_size) = 0;

  // Why this adapter cannot do this, here; nullopt: it can. Shown as the reason of a skipped test.
  virtual std::optional<std::string> Unsupported(int /*world_size*/) { return std::nullopt; }
  virtual std::optional<std::string> Unsupported(const Collective& /*what*/) { return std::nullopt; }

  // Why sums are not those of rank order in f32, bit for bit; nullopt: they are.
  virtual std::optional<std::string> OwnOrder() { return std::nullopt; }
  // Why calls that differ between ranks may hang until the deadline; nullopt: they are told at once.
  virtual std::optional<std::string> MismatchUndetected() { return std::nullopt; }
};

// Made once in a process, at the first call.
using AdapterSource = Adapter& (*)();

struct Case {
  AdapterSource adapter;
  Collective what;
  int world_size;
};
struct World {
  AdapterSource adapter;
  int world_size;
};

// Every op, reduction, type and world size 1, 2, 3, 4, 8.
testing::internal::ParamGenerator<Case> EveryCase(AdapterSource adapter);
testing::internal::ParamGenerator<World> Worlds(AdapterSource adapter);
std::string CaseName(const testing::TestParamInfo<Case>& info);    // "all_reduce_sum_FP32_3"
std::string WorldName(const testing::TestParamInfo<World>& info);  // "3"

// What the suites share: the group is made once for a world size and used by all tests that leave it usable.
// A test that fails may have broken it: the next one gets a new one.
class Suite : public testing::Test {
 protected:
  void TearDown() override;
  // Skips the test where the adapter says so; fails it when no group can be made.
  void UseGroup(AdapterSource adapter, int world_size);
  // A group of its own, for a test that breaks it.
  void UseFreshGroup(AdapterSource adapter, int world_size);
  Group& group() { return *group_; }

 private:
  std::shared_ptr<Group>* shared_ = nullptr;  // where the next test finds the group
  std::shared_ptr<Group> group_;
};

class EveryCollective : public Suite, public testing::WithParamInterface<Case> {
 protected:
  void SetUp() override;
};
class EveryWorld : public Suite, public testing::WithParamInterface<World> {
 protected:
  void SetUp() override { UseGroup(GetParam().adapter, GetParam().world_size); }
};
class Faults : public Suite, public testing::WithParamInterface<World> {
 protected:
  void SetUp() override { UseFreshGroup(GetParam().adapter, GetParam().world_size); }
};

}  // namespace tessera::comm::conformance
