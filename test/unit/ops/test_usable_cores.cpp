#include "temporary_directory.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <ops/process/usable_cores.hpp>
#include <sched.h>

using namespace exeat;
using ops::cores_of_groups;
using ops::cores_of_quota;

namespace {

using cores = std::optional<std::size_t>;

struct machine { // what it shows below /proc and /sys
    void file(const std::string& path, std::string_view text)
    {
        std::filesystem::create_directories(std::filesystem::path{d.path(path)}.parent_path());
        d.write(path, text);
    }
    void mount_v2(std::string_view top = "/")
    {
        file("proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 22 0:26 " + std::string{top} +
                                        " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
    }
    cores allowed() const { return cores_of_groups(d.path("")); }

    temporary_directory d;
};

} // namespace

TEST_CASE("a quota is told in whole cores, rounded up, and what is no quota limits nothing")
{
    CHECK(cores_of_quota("max 100000") == cores{});
    CHECK(cores_of_quota("100000 100000") == cores{1});
    CHECK(cores_of_quota("100001 100000") == cores{2});
    CHECK(cores_of_quota("250000 100000") == cores{3});
    CHECK(cores_of_quota("1000 100000") == cores{1});
    CHECK(cores_of_quota("0 100000") == cores{1});
    CHECK(cores_of_quota("18446744073709551615 1") == cores{18446744073709551615u});
    for (const auto* text : {"", " ", "max", "100000", "100000 ", " 100000", "100000 0", "-1 100000", "x 100000", "100000 x",
                             "100000 100000 1", "18446744073709551616 1", "1.5 1", "100000\t100000", "+1 1"})
        CHECK_MESSAGE(cores_of_quota(text) == cores{}, text);
}

TEST_CASE("the smallest quota of the own group and of those above it counts")
{
    machine m;
    m.mount_v2();
    m.file("proc/self/cgroup", "0::/kube.slice/pod/exeat\n");
    CHECK(m.allowed() == cores{});
    m.file("sys/fs/cgroup/kube.slice/pod/exeat/cpu.max", "max 100000\n");
    CHECK(m.allowed() == cores{});
    m.file("sys/fs/cgroup/kube.slice/cpu.max", "800000 100000\n");
    CHECK(m.allowed() == cores{8});
    m.file("sys/fs/cgroup/kube.slice/pod/cpu.max", "150000 100000\n");
    CHECK(m.allowed() == cores{2});
    m.file("sys/fs/cgroup/kube.slice/pod/exeat/cpu.max", "50000 100000\n");
    CHECK(m.allowed() == cores{1});
    m.file("sys/fs/cgroup/other/cpu.max", "1000 100000\n"); // nobody of ours
    m.file("sys/fs/cgroup/kube.slice/pod/exeat/cpu.max", "rubbish\n");
    CHECK(m.allowed() == cores{2});
}

TEST_CASE("a container sees its group as the top of the mount, by name or not")
{
    for (const auto* group : {"0::/\n", "0::/docker/abc\n", "0::/../elsewhere\n", "0::/docker/abcdef\n", "0::none\n", "0::\n"}) {
        machine m;
        m.mount_v2("/docker/abc");
        m.file("proc/self/cgroup", group);
        m.file("sys/fs/cgroup/cpu.max", "300000 100000\n");
        CHECK_MESSAGE(m.allowed() == cores{3}, group);
    }
    machine m;
    m.mount_v2("/docker/abc");
    m.file("proc/self/cgroup", "0::/docker/abc/inner\n");
    m.file("sys/fs/cgroup/cpu.max", "300000 100000\n");
    m.file("sys/fs/cgroup/inner/cpu.max", "200000 100000\n");
    CHECK(m.allowed() == cores{2});
}

TEST_CASE("quotas of cgroup v1 count too, of the cpu controller only")
{
    machine m;
    m.file("proc/self/mountinfo", "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
                                  "34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
                                  "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    m.file("proc/self/cgroup", "3:cpuset:/set\n1:cpuacct,cpu:/mine\n0::/two\n");
    m.file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    m.file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    m.file("sys/fs/cgroup/cpuset/set/cpu.cfs_quota_us", "1000\n");
    m.file("sys/fs/cgroup/cpuset/set/cpu.cfs_period_us", "100000\n");
    CHECK(m.allowed() == cores{});
    m.file("sys/fs/cgroup/cpu,cpuacct/mine/cpu.cfs_quota_us", "450000\n");
    m.file("sys/fs/cgroup/cpu,cpuacct/mine/cpu.cfs_period_us", "100000\n");
    CHECK(m.allowed() == cores{5});
    m.file("sys/fs/cgroup/unified/two/cpu.max", "400000 100000\n");
    CHECK(m.allowed() == cores{4});
}

TEST_CASE("what cannot be read limits nothing")
{
    const machine none;
    CHECK(none.allowed() == cores{});
    for (const auto* mounts :
         {"", "\n\n", "rubbish", " - ", " - cgroup2", "1 2 3 / /sys/fs/cgroup", "a b c d e f - cgroup2 x y\n- cgroup2"}) {
        machine m;
        m.file("proc/self/mountinfo", mounts);
        m.file("proc/self/cgroup", mounts);
        m.file("sys/fs/cgroup/cpu.max", "100000 100000\n");
        CHECK_MESSAGE(m.allowed() == cores{}, mounts);
    }
}

TEST_CASE("there is at least one core to use, and no more than the affinity mask has")
{
    cpu_set_t before, one;
    REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
    CHECK(ops::usable_cores() >= 1);
    CHECK(ops::usable_cores() <= static_cast<std::size_t>(CPU_COUNT(&before)));
    CPU_ZERO(&one);
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &before)) {
            CPU_SET(cpu, &one);
            break;
        }
    REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
    CHECK(ops::usable_cores() == 1);
    REQUIRE(::sched_setaffinity(0, sizeof before, &before) == 0);
}
