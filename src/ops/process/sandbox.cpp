#include <ops/process/sandbox.hpp>

#include <ops/files/resolv_conf.hpp>
#include <ops/process/system_calls.hpp>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <sys/prctl.h>
#include <system_error>
#include <unistd.h>

namespace exeat::ops {

namespace {

namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool looks_into_itself = true; // LeakSanitizer traces the process at exit
#else
constexpr bool looks_into_itself = false;
#endif

// proc(5) for the process metrics, and for the allocator, which reads the overcommit setting. /dev/urandom, because a library that cannot
// read it may fall back to an unseeded rand() without an error, as c-ares does.
constexpr const char* always_read[] = {"/proc/self", "/proc/stat", "/proc/sys/vm", "/sys/devices/system/cpu", "/dev/urandom"};

constexpr const char* resolv_conf_managers[] = {"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager"};

std::string parent(const fs::path& p)
{
    const auto dir = p.parent_path();
    return dir.empty() ? "." : dir.string();
}

// A log file is created again in its directory when it is rotated; a device or a FIFO needs only its own path.
void add_log(const std::string& path, open_paths& to)
{
    std::error_code failed;
    const auto found = fs::status(path, failed);
    if (fs::exists(found) && !fs::is_regular_file(found)) to.write.push_back(path);
    else add_ways_to(path, to.write);
}

} // namespace

void add_ways_to(const fs::path& path, std::vector<std::string>& to)
{
    std::error_code failed;
    to.push_back(parent(path));
    to.push_back(parent(fs::weakly_canonical(path, failed)));
    fs::path at;
    for (const auto& component : path) {
        at /= component;
        if (!fs::is_symlink(at, failed)) continue;
        to.push_back(parent(at));
        to.push_back(parent(fs::weakly_canonical(at, failed)));
    }
}

open_paths paths_of(const config& c, const std::vector<watched_file>& lists)
{
    open_paths out;
    out.read.assign(std::begin(always_read), std::end(always_read));
    out.read.insert(out.read.end(), c.sandbox.read.begin(), c.sandbox.read.end());
    if (const char* keys = std::getenv("CREDENTIALS_DIRECTORY")) out.read.emplace_back(keys); // LoadCredential=
    for (const auto& list : lists) add_ways_to(list.path, out.read);
    if (!c.kubernetes.pods_file.empty()) add_ways_to(c.kubernetes.pods_file, out.read);
    if (c.dns_servers.empty()) { // the file may be replaced, be a mount of its own, or be a link to a manager's file
        add_ways_to(resolv_conf, out.read);
        out.read.emplace_back(resolv_conf);
        out.read.insert(out.read.end(), std::begin(resolv_conf_managers), std::end(resolv_conf_managers));
    }
    if (c.audit_path != "stdout") add_log(c.audit_path, out);
    if (!c.state.empty()) out.write.push_back(c.state);
    return out;
}

void sandbox::restrict_files(const open_paths& open)
{
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw std::runtime_error{"sandbox: no_new_privs cannot be set"};
    if (!looks_into_itself) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); // no core file with clients' data, no unprivileged tracer
    const int version = wanted_.files ? landlock_version() : 0;
    if (version == 0) return;
    // A rule applies to an inode, and proc(5) creates a new one for /proc/self once the old one is no longer referenced; this descriptor
    // keeps it.
    own_numbers_ = net::unique_fd{::open("/proc/self", O_PATH | O_CLOEXEC)};
    try {
        ops::restrict_files(open, version);
        landlock_ = version;
    } catch (const std::system_error& e) {
        throw std::runtime_error{std::string{"sandbox: "} + e.what() + "; fix it, or write files = \"off\" in [sandbox]"};
    }
}

void sandbox::restrict_system_calls()
{
    if (!wanted_.system_calls) return;
    try {
        ops::restrict_system_calls();
    } catch (const std::system_error& e) {
        throw std::runtime_error{std::string{"sandbox: "} + e.what() + "; fix it, or write system_calls = \"off\" in [sandbox]"};
    }
}

void sandbox::tell() const
{
    log_.say(severity::notice, "sandbox",
             {{"system calls", wanted_.system_calls ? "restricted" : "not restricted, as [sandbox] says"},
              {"files", landlock_ > 0   ? "restricted, landlock version " + std::to_string(landlock_)
                        : wanted_.files ? "not restricted: this kernel has no landlock"
                                        : "not restricted, as [sandbox] says"}});
    if (::geteuid() == 0 && !wanted_.root_expected)
        log_.say(severity::warning, "exeat runs as root and need not: use systemd/exeat.service or another user; "
                                    "or write root = \"allow\" in [sandbox]");
}

} // namespace exeat::ops
