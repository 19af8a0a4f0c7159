// Each test forks: what is taken away stays away. A child says by its exit status whether it could do what it tried, or dies of it.
#include "temporary_directory.hpp"

#include <net/sockets/unique_fd.hpp>
#include <ops/process/sandbox.hpp>
#include <ops/process/system_calls.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>

using namespace exeat;

namespace {

constexpr int done = 0, killed = -SIGSYS;

// 0 when the child could, its errno when it could not, the negative signal when that was its end.
int in_child(const std::function<bool()>& act)
{
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        errno = 0;
        const bool could = act();
        ::_exit(could ? done : errno);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int with_filter(const std::function<bool()>& act)
{
    return in_child([&] {
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        ops::restrict_system_calls();
        errno = 0;
        return act();
    });
}

bool opens(int family, int type, int protocol = 0) { return ::socket(family, type, protocol) >= 0; }

bool binds(int family, const void* address, socklen_t size)
{
    const int fd = ::socket(family, family == AF_NETLINK ? SOCK_RAW : SOCK_STREAM, 0);
    return fd >= 0 && ::bind(fd, static_cast<const sockaddr*>(address), size) == 0;
}

bool reads(const std::string& path) { return net::unique_fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}.value() >= 0; }
bool writes(const std::string& path) { return net::unique_fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)}.value() >= 0; }

int with_files(const ops::open_paths& open, const std::function<bool()>& act)
{
    return in_child([&] {
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        ops::restrict_files(open, ops::landlock_version());
        errno = 0;
        return act();
    });
}

// A kernel without it has nothing to test; said, so that nobody takes silence for a pass.
bool no_landlock()
{
    if (ops::landlock_version() > 0) return false;
    MESSAGE("skipped: this kernel has no landlock");
    return true;
}

bool has(const std::vector<std::string>& all, const std::string& one) { return std::find(all.begin(), all.end(), one) != all.end(); }

} // namespace

TEST_CASE("what only an intruder would call ends the process")
{
    char* none[] = {nullptr};
    CHECK(with_filter([&] { return ::execve("/bin/true", none, none) == 0; }) == killed);
    CHECK(with_filter([&] { return ::execveat(AT_FDCWD, "/bin/true", none, none, 0) == 0; }) == killed);
    CHECK(with_filter([] { return ::syscall(SYS_process_vm_readv, ::getpid(), nullptr, 0, nullptr, 0, 0) == 0; }) == killed);
    CHECK(with_filter([] { return ::syscall(SYS_bpf, 0, nullptr, 0) >= 0; }) == killed);
    CHECK(with_filter([] { return ::syscall(SYS_io_uring_setup, 1, nullptr) >= 0; }) == killed);
    CHECK(with_filter([] { return ::syscall(SYS_memfd_create, "x", 0) >= 0; }) == killed);
    CHECK(with_filter([] { return ::syscall(SYS_mount, "a", "b", "c", 0, nullptr) == 0; }) == killed);
    CHECK(with_filter([] { return ::syscall(SYS_setuid, 0) == 0; }) == killed);
    CHECK(with_filter([] { return ::syscall(SYS_unshare, 0) == 0; }) == killed);
#if !defined(__SANITIZE_ADDRESS__) // LeakSanitizer needs it
    CHECK(with_filter([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }) == killed);
#endif
}

TEST_CASE("no process begins, threads do")
{
#if !defined(__SANITIZE_ADDRESS__)
    CHECK(with_filter([] { return ::fork() >= 0; }) == EPERM); // clone() without CLONE_THREAD
#endif
    CHECK(with_filter([] { return ::syscall(SYS_vfork) >= 0; }) == killed);
    CHECK(with_filter([] {
              bool ran = false;
              std::thread{[&ran] { ran = true; }}.join();
              return ran;
          }) == done);
}

TEST_CASE("sockets are of the families that are needed and no others")
{
    for (const int family : {AF_INET, AF_INET6})
        for (const int type : {int{SOCK_STREAM}, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC})
            CHECK(with_filter([=] { return opens(family, type); }) == done);
    CHECK(with_filter([] { return opens(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE); }) == done);
    CHECK(with_filter([] { return opens(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER); }) == EPERM);
    CHECK(with_filter([] { return opens(AF_UNIX, SOCK_STREAM); }) == EPERM);
    CHECK(with_filter([] { return opens(AF_PACKET, SOCK_RAW); }) == EPERM);
    CHECK(with_filter([] { return opens(AF_INET, SOCK_RAW, IPPROTO_ICMP); }) == EPERM);
    CHECK(with_filter([] { return opens(AF_VSOCK, SOCK_STREAM); }) == EPERM);
    CHECK(with_filter([] { return opens(AF_ALG, SOCK_SEQPACKET); }) == EPERM);
}

TEST_CASE("no port is opened")
{
    CHECK(with_filter([] {
              sockaddr_in a{};
              a.sin_family = AF_INET;
              return binds(AF_INET, &a, sizeof a);
          }) == EPERM);
    CHECK(with_filter([] {
              sockaddr_nl a{};
              a.nl_family = AF_NETLINK;
              return binds(AF_NETLINK, &a, sizeof a);
          }) == done);
    CHECK(with_filter([] { return ::listen(::socket(AF_INET, SOCK_STREAM, 0), 1) == 0; }) == EPERM);
}

TEST_CASE("memory is not made to run")
{
    constexpr std::size_t page = 4096;
    const auto map = [](int rights) { return ::mmap(nullptr, page, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); };
    CHECK(with_filter([&] { return map(PROT_READ | PROT_WRITE) != MAP_FAILED; }) == done);
    CHECK(with_filter([&] { return map(PROT_READ | PROT_EXEC) != MAP_FAILED; }) == EPERM);
    CHECK(with_filter([&] { return ::mprotect(map(PROT_READ), page, PROT_EXEC) == 0; }) == EPERM);
}

TEST_CASE("limits are asked for and not changed, and no signal goes to others")
{
    CHECK(with_filter([] {
              rlimit now{};
              return ::getrlimit(RLIMIT_NOFILE, &now) == 0;
          }) == done);
    CHECK(with_filter([] {
              const rlimit none{0, 0};
              return ::setrlimit(RLIMIT_CORE, &none) == 0;
          }) == EPERM);
    CHECK(with_filter([] { return ::kill(::getppid(), 0) == 0; }) == EPERM);
}

TEST_CASE("the filter holds for threads that ran before it")
{
    CHECK(in_child([] {
              std::atomic<int> stage{0};
              bool could = true;
              std::thread early{[&] {
                  while (stage == 0) std::this_thread::yield();
                  could = opens(AF_UNIX, SOCK_STREAM);
              }};
              ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
              ops::restrict_system_calls();
              stage = 1;
              early.join();
              errno = EPERM;
              return could;
          }) == EPERM);
}

TEST_CASE("files are read where it is said, written where it is said, and nowhere else")
{
    if (no_landlock()) return;
    const temporary_directory lists, logs, others;
    const auto list = lists.write("list.toml", ""), other = others.write("secret", "");
    const ops::open_paths open{{lists.path("")}, {logs.path("")}};
    CHECK(with_files(open, [&] { return reads(list); }) == done);
    CHECK(with_files(open, [&] { return writes(logs.path("log")); }) == done);
    CHECK(with_files(open, [&] { return ::rename(logs.path("log").c_str(), logs.path("log.1").c_str()) == 0; }) == done);
    CHECK(with_files(open, [&] { return reads(other); }) == EACCES);
    CHECK(with_files(open, [&] { return reads("/etc/passwd"); }) == EACCES);
    CHECK(with_files(open, [&] { return writes(lists.path("new")); }) == EACCES);
    CHECK(with_files(open, [&] { return writes(list); }) == EACCES);
    CHECK(with_files(open, [&] { return ::unlink(list.c_str()) == 0; }) == EACCES);
    CHECK(with_files(open, [&] { return ::mkdir(lists.path("d").c_str(), 0700) == 0; }) == EACCES);
    CHECK(with_files(open, [&] { return ::symlink("/etc/passwd", logs.path("link").c_str()) == 0; }) == EACCES);
    CHECK(with_files(open, [&] {
              char* none[] = {nullptr};
              return ::execve("/bin/true", none, none) == 0;
          }) == EACCES);
}

TEST_CASE("a path that is not there opens nothing and is no error")
{
    if (no_landlock()) return;
    CHECK(with_files({{"/nonexistent"}, {"/nonexistent/too"}}, [] { return reads("/etc/passwd"); }) == EACCES);
}

TEST_CASE("no TCP port is opened either, where the kernel's version knows of ports")
{
    if (no_landlock()) return;
    const auto tried = with_files({}, [] {
        sockaddr_in a{};
        a.sin_family = AF_INET;
        return binds(AF_INET, &a, sizeof a);
    });
    CHECK(tried == (ops::landlock_version() >= 4 ? EACCES : done));
}

TEST_CASE("lists are read where they lie and where their symbolic links lie and lead, the log is written beside itself")
{
    const temporary_directory d;
    namespace fs = std::filesystem;
    fs::create_directories(d.path("releases/1"));
    fs::create_directories(d.path("logs"));
    fs::create_directory_symlink("releases/1", d.path("current"));
    config c;
    c.audit_path = d.path("logs/audit.jsonl");
    c.state = d.path("state");
    c.sandbox.read = {"/srv/more"};
    const auto open = ops::paths_of(c, {ops::watched_file{d.path("current/allowlist.toml")}});
    const auto real = fs::canonical(d.path("")).string();
    CHECK(has(open.read, d.path("current")));
    CHECK(has(open.read, (fs::path{real} / "releases/1").string()));
    CHECK(has(open.read, (fs::path{real} / "releases").string()));
    CHECK(has(open.read, fs::path{d.path("current")}.parent_path().string()));
    CHECK(has(open.read, "/srv/more"));
    CHECK(has(open.write, d.path("logs")));
    CHECK(has(open.write, d.path("state")));
    CHECK_FALSE(has(open.write, d.path("releases")));
    c.audit_path = "/dev/null";
    CHECK(has(ops::paths_of(c, {}).write, "/dev/null"));
    CHECK_FALSE(has(ops::paths_of(c, {}).write, "/dev"));
}
