#include "tessera/base/cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <fstream>
#include <string>
#include <thread>

#include "tessera/base/testing/temporary_directory.h"

namespace tessera {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVersion2 =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kVersion1 =
    "33 31 0:30 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n";

// A machine of 64 cores with a /proc and a /sys of its own.
class CpuQuota : public ::testing::Test {
 protected:
  void Write(const std::string& file, const std::string& content) const {
    const fs::path path = directory_.path() / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }
  void Mounts(const std::string& lines) const { Write("proc/self/mountinfo", lines); }
  void Group(const std::string& lines) const { Write("proc/self/cgroup", lines); }
  int CoresOf64() const { return WithinCpuQuota(64, directory_.path()); }

 private:
  testing::TemporaryDirectory directory_;
};

TEST_F(CpuQuota, IsTheContainersOwn) {
  Mounts(kVersion2);
  Group("0::/\n");  // a cgroup namespace
  Write("sys/fs/cgroup/cpu.max", "400000 100000\n");
  EXPECT_EQ(CoresOf64(), 4);
}

TEST_F(CpuQuota, IsRoundedUp) {
  Mounts(kVersion2);
  Group("0::/\n");
  Write("sys/fs/cgroup/cpu.max", "150000 100000\n");
  EXPECT_EQ(CoresOf64(), 2);
  Write("sys/fs/cgroup/cpu.max", "1000 100000\n");
  EXPECT_EQ(CoresOf64(), 1);
}

TEST_F(CpuQuota, IsTheSmallestOnTheWayUp) {
  Mounts(kVersion2);
  Group("0::/pod/container\n");
  Write("sys/fs/cgroup/pod/cpu.max", "300000 100000\n");
  Write("sys/fs/cgroup/pod/container/cpu.max", "800000 100000\n");
  Write("sys/fs/cgroup/pod/other/cpu.max", "100000 100000\n");
  EXPECT_EQ(CoresOf64(), 3);
  Write("sys/fs/cgroup/pod/container/cpu.max", "50000 25000\n");
  EXPECT_EQ(CoresOf64(), 2);
}

TEST_F(CpuQuota, LeavesAllCoresWhereItIsMax) {
  Mounts(kVersion2);
  Group("0::/pod\n");
  Write("sys/fs/cgroup/pod/cpu.max", "max 100000\n");
  EXPECT_EQ(CoresOf64(), 64);
}

TEST_F(CpuQuota, GivesNoMoreThanThereAre) {
  Mounts(kVersion2);
  Group("0::/\n");
  Write("sys/fs/cgroup/cpu.max", "9600000 100000\n");
  EXPECT_EQ(CoresOf64(), 64);
}

TEST_F(CpuQuota, IsReadFromVersion1) {
  Mounts(kVersion1);
  Group("5:memory:/elsewhere\n4:cpu,cpuacct:/pod/container\n");
  Write("sys/fs/cgroup/cpu/pod/container/cpu.cfs_quota_us", "250000\n");
  Write("sys/fs/cgroup/cpu/pod/container/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(CoresOf64(), 3);
  Write("sys/fs/cgroup/cpu/pod/container/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(CoresOf64(), 64);
}

// Docker without a cgroup namespace: the path is the host's, the container's directory is what is mounted.
TEST_F(CpuQuota, IsFoundWhereTheContainersDirectoryIsTheWholeMount) {
  Mounts("33 31 0:30 /docker/1f /sys/fs/cgroup/cpu ro,nosuid master:11 - cgroup cpu rw,cpu\n");
  Group("4:cpu:/docker/1f\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
  Write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(CoresOf64(), 2);
}

// Both versions at once, as systemd had it: the CPU quotas are in the old one.
TEST_F(CpuQuota, IsFoundInEitherVersion) {
  Mounts(std::string(kVersion1) + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  Group("1:cpu:/pod\n0::/pod\n");
  Write("sys/fs/cgroup/unified/pod/cgroup.procs", "1\n");
  Write("sys/fs/cgroup/cpu/pod/cpu.cfs_quota_us", "700000\n");
  Write("sys/fs/cgroup/cpu/pod/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(CoresOf64(), 7);
}

TEST_F(CpuQuota, LimitsNothingWhereThereAreNoCgroups) {
  EXPECT_EQ(CoresOf64(), 64);
  Mounts("23 1 8:1 / / rw - ext4 /dev/sda1 rw\nnot a mount\n");
  Group("garbage\n");
  EXPECT_EQ(CoresOf64(), 64);
}

// In a thread of its own, whose mask goes with it.
TEST(UsableCores, AreThoseOfTheThreadsMask) {
  int cores = 0;
  std::thread([&] {
    cpu_set_t all;
    ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
    int first = 0;
    while (!CPU_ISSET(first, &all)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    cores = UsableCores();
  }).join();
  EXPECT_EQ(cores, 1);
}

}  // namespace
}  // namespace tessera
