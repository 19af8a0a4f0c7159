#include <ops/process/system_calls.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <initializer_list>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <memory>
#include <sched.h>
#include <seccomp.h>
#include <span>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <termios.h>
#include <unistd.h>

namespace exeat::ops {

namespace {

using filter = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;
using condition = scmp_arg_cmp;

void checked(int result, const char* what)
{
    if (result < 0) throw std::system_error{-result, std::generic_category(), what};
}

void rule(const filter& f, std::uint32_t action, int call, std::initializer_list<condition> when = {})
{
    checked(::seccomp_rule_add_array(f.get(), action, call, static_cast<unsigned>(when.size()), when.begin()), "seccomp rule");
}

// Replaces libseccomp's SCMP_A0() and similar macros, which contain old-style casts.
condition argument(unsigned n, scmp_compare how, std::uint64_t a, std::uint64_t b = 0) noexcept { return {n, how, a, b}; }
condition equals(unsigned n, std::uint64_t value) noexcept { return argument(n, SCMP_CMP_EQ, value); }
condition has_not(unsigned n, std::uint64_t bits) noexcept { return argument(n, SCMP_CMP_MASKED_EQ, bits, 0); }
condition has_all(unsigned n, std::uint64_t bits) noexcept { return argument(n, SCMP_CMP_MASKED_EQ, bits, bits); }

constexpr int moving_bytes[] = {
    SCMP_SYS(read),    SCMP_SYS(write),    SCMP_SYS(readv),       SCMP_SYS(writev),     SCMP_SYS(pread64),     SCMP_SYS(pwrite64),
    SCMP_SYS(splice),  SCMP_SYS(tee),      SCMP_SYS(pipe2),       SCMP_SYS(recvfrom),   SCMP_SYS(sendto),      SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg), SCMP_SYS(recvmmsg), SCMP_SYS(sendmmsg),    SCMP_SYS(accept),     SCMP_SYS(accept4),     SCMP_SYS(connect),
    SCMP_SYS(close),   SCMP_SYS(shutdown), SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(getpeername), SCMP_SYS(setsockopt),
    SCMP_SYS(fcntl),   SCMP_SYS(dup),      SCMP_SYS(lseek),
};
constexpr int waiting[] = {
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(futex),
    SCMP_SYS(eventfd2),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(clock_getres),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_getattr),
    SCMP_SYS(sched_setattr), // for its own threads; without CAP_SYS_NICE the kernel grants no more than they have
    SCMP_SYS(inotify_init1),
    SCMP_SYS(inotify_add_watch),
    SCMP_SYS(inotify_rm_watch),
};
// Landlock decides which files.
constexpr int files[] = {
    SCMP_SYS(open),       SCMP_SYS(openat),     SCMP_SYS(fstat),    SCMP_SYS(stat),      SCMP_SYS(lstat),      SCMP_SYS(newfstatat),
    SCMP_SYS(statx),      SCMP_SYS(fstatfs),    SCMP_SYS(access),   SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd),   SCMP_SYS(ftruncate), SCMP_SYS(flock),      SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),  SCMP_SYS(rename),     SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink),     SCMP_SYS(unlinkat),
    SCMP_SYS(mkdir),      SCMP_SYS(mkdirat),    SCMP_SYS(fchmod),   SCMP_SYS(umask),
};
constexpr int own_process[] = {
    SCMP_SYS(munmap),          SCMP_SYS(mremap),
    SCMP_SYS(madvise),         SCMP_SYS(brk),
    SCMP_SYS(rt_sigaction),    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall), SCMP_SYS(exit),
    SCMP_SYS(exit_group),      SCMP_SYS(getpid),
    SCMP_SYS(gettid),          SCMP_SYS(getuid),
    SCMP_SYS(geteuid),         SCMP_SYS(getgid),
    SCMP_SYS(getegid),         SCMP_SYS(getrandom),
    SCMP_SYS(getrusage),       SCMP_SYS(sysinfo),
    SCMP_SYS(uname),           SCMP_SYS(set_robust_list),
    SCMP_SYS(set_tid_address), SCMP_SYS(rseq),
    SCMP_SYS(membarrier),      SCMP_SYS(getcpu),
};
// Calls that exeat never makes but an intruder would: they kill the process instead of returning an error to learn from.
constexpr int intruders[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kcmp),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setregid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(capset),
    SCMP_SYS(personality),
    SCMP_SYS(memfd_create),
    SCMP_SYS(open_by_handle_at),
};

// Allows sockets for TCP and DNS, and for the kernel's list of the machine's addresses. bind() is allowed only with the size of a netlink
// address, which is shorter than an IP address, so only a netlink socket can be bound. listen() is refused, so no new port opens.
void allow_sockets(const filter& f)
{
    constexpr std::uint64_t kind = 0xf; // SOCK_TYPE_MASK, without SOCK_CLOEXEC and SOCK_NONBLOCK
    for (const auto family : {AF_INET, AF_INET6})
        for (const auto type : {SOCK_STREAM, SOCK_DGRAM})
            rule(f, SCMP_ACT_ALLOW, SCMP_SYS(socket),
                 {equals(0, static_cast<std::uint64_t>(family)), argument(1, SCMP_CMP_MASKED_EQ, kind, static_cast<std::uint64_t>(type))});
    rule(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), {equals(0, AF_NETLINK), equals(2, NETLINK_ROUTE)});
    rule(f, SCMP_ACT_ALLOW, SCMP_SYS(bind), {equals(2, sizeof(sockaddr_nl))});
    for (const auto request : {FIONBIO, FIONREAD, SIOCOUTQNSD, TCGETS}) rule(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), {equals(1, request)});
}

// Allows threads but no processes, and memory to read and write but not to execute.
void allow_memory_and_threads(const filter& f)
{
    for (const auto call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) rule(f, SCMP_ACT_ALLOW, call, {has_not(2, PROT_EXEC)});
    rule(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), {has_all(0, CLONE_THREAD)});
    rule(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3)); // its flags are in memory; the C library then uses clone()
    rule(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), {equals(0, static_cast<std::uint64_t>(::getpid()))}); // abort()
    rule(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), {equals(2, 0)});                                   // only reads limits
    rule(f, SCMP_ACT_ALLOW, SCMP_SYS(getrlimit));
    rule(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), {equals(0, PR_SET_NAME)});
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// For LeakSanitizer, which at exit traces the process from a thread-like child.
constexpr std::array sanitizers{SCMP_SYS(ptrace),      SCMP_SYS(clone),      SCMP_SYS(wait4),   SCMP_SYS(prctl),
                                SCMP_SYS(personality), SCMP_SYS(arch_prctl), SCMP_SYS(getppid), SCMP_SYS(getdents)};
#else
constexpr std::array<int, 0> sanitizers{};
#endif

bool holds(std::span<const int> calls, int call) noexcept { return std::find(calls.begin(), calls.end(), call) != calls.end(); }

void allow(const filter& f, std::span<const int> calls)
{
    for (const int call : calls) rule(f, SCMP_ACT_ALLOW, call);
}

} // namespace

void restrict_system_calls()
{
    const filter f{::seccomp_init(SCMP_ACT_ERRNO(EPERM)), ::seccomp_release};
    if (!f) throw std::system_error{ENOMEM, std::generic_category(), "seccomp"};
    checked(::seccomp_attr_set(f.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "seccomp architecture");
    checked(::seccomp_attr_set(f.get(), SCMP_FLTATR_CTL_TSYNC, 1), "seccomp for all threads");
    checked(::seccomp_attr_set(f.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "seccomp by binary search");
    allow(f, moving_bytes);
    allow(f, waiting);
    allow(f, files);
    allow(f, own_process);
    allow(f, sanitizers);
    allow_sockets(f);
    allow_memory_and_threads(f);
    for (const int call : intruders)
        if (!holds(sanitizers, call)) rule(f, SCMP_ACT_KILL_PROCESS, call);
    checked(::seccomp_load(f.get()), "seccomp");
}

} // namespace exeat::ops
