#include <ops/process/landlock.hpp>

#include <net/sockets/unique_fd.hpp>

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace exeat::ops {

namespace {

// linux/landlock.h as of version 6; the header of Debian 12 has version 2.
struct ruleset_attr {
    std::uint64_t handled_access_fs, handled_access_net, scoped;
};
struct [[gnu::packed]] path_beneath_attr {
    std::uint64_t allowed_access;
    std::int32_t parent_fd;
};
constexpr unsigned create_ruleset_version = 1;
constexpr int rule_path_beneath = 1;

constexpr std::uint64_t right(int bit) noexcept { return std::uint64_t{1} << bit; }
constexpr std::uint64_t execute = right(0), write_file = right(1), read_file = right(2), read_dir = right(3), remove_file = right(5),
                        make_dir = right(7), make_reg = right(8), truncate = right(14), ioctl_dev = right(15);
constexpr std::uint64_t for_files = execute | write_file | read_file | truncate | ioctl_dev;
constexpr std::uint64_t to_read = read_file | read_dir;
constexpr std::uint64_t to_write = to_read | write_file | truncate | remove_file | make_dir | make_reg;
constexpr std::uint64_t bind_tcp = right(0);
constexpr std::uint64_t abstract_unix_socket = right(0), signal = right(1);

// All file rights of a version: rights that a ruleset does not handle are not denied.
constexpr std::uint64_t known(int version) noexcept
{
    const int bits = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;
    return right(bits) - 1;
}

[[noreturn]] void failed(const char* what) { throw std::system_error{errno, std::generic_category(), what}; }

void allow(int ruleset, const std::string& path, std::uint64_t rights)
{
    const net::unique_fd at{::open(path.c_str(), O_PATH | O_CLOEXEC)};
    struct stat about {};
    if (!at || ::fstat(at.value(), &about) != 0) return; // a path that does not exist or that exeat may not see needs no rule
    const path_beneath_attr rule{S_ISDIR(about.st_mode) ? rights : rights & for_files, at.value()};
    if (::syscall(SYS_landlock_add_rule, ruleset, rule_path_beneath, &rule, 0) != 0) failed(("landlock rule for " + path).c_str());
}

} // namespace

int landlock_version() noexcept
{
    const auto v = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, create_ruleset_version);
    return v > 0 ? static_cast<int>(v) : 0;
}

void restrict_files(const open_paths& open, int version)
{
    const ruleset_attr all{known(version), version >= 4 ? bind_tcp : 0, version >= 6 ? abstract_unix_socket | signal : 0};
    const net::unique_fd ruleset{static_cast<int>(::syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0))};
    if (!ruleset) failed("landlock ruleset");
    for (const auto& path : open.read) allow(ruleset.value(), path, to_read & known(version));
    for (const auto& path : open.write) allow(ruleset.value(), path, to_write & known(version));
    if (::syscall(SYS_landlock_restrict_self, ruleset.value(), 0) != 0) failed("landlock");
}

} // namespace exeat::ops
