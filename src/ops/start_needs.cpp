#include <ops/start_needs.hpp>

#include <net/sockets/socket.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace exeat::ops {

namespace {

namespace fs = std::filesystem;

std::string words_of(int error) { return std::generic_category().message(error); }

// Why files cannot be created in the directory; empty when they can.
std::string objection_to_directory(const std::string& path, std::string_view key)
{
    struct stat about {};
    const auto other = fmt::format("or name another {}", key);
    if (::stat(path.c_str(), &about) != 0 && errno == ENOENT)
        return fmt::format("the directory {} does not exist; make it (exeat.service makes /var/log/exeat and /var/lib/exeat), {}", path,
                           other);
    if (::stat(path.c_str(), &about) != 0) return fmt::format("{}: {}; let uid {} into it, {}", path, words_of(errno), ::geteuid(), other);
    if (!S_ISDIR(about.st_mode)) return fmt::format("{} is not a directory; move it away, {}", path, other);
    if (::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return {};
    return fmt::format("uid {} cannot write into {}: {}; give the directory to the user of exeat and check as that user, {}", ::geteuid(),
                       path, words_of(errno), other);
}

// Why an existing audit log cannot be written; empty when it can.
std::string objection_to_log(const std::string& path)
{
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) return {};
    if (S_ISDIR(about.st_mode)) return fmt::format("{} is a directory; name a file in it", path);
    if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0) return {};
    return fmt::format("uid {} cannot write {}: {}; give the file to the user of exeat and check as that user", ::geteuid(), path,
                       words_of(errno));
}

std::string objection_to_audit(const config& c)
{
    if (c.audit_path == "stdout") return {};
    std::error_code failed;
    const auto parent = fs::path{c.audit_path}.parent_path().string();
    const bool creates = !fs::exists(c.audit_path, failed) || c.rotation.max_size != 0;
    auto said = creates ? objection_to_directory(parent.empty() ? "." : parent, "'path' in [audit]") : std::string{};
    if (said.empty()) said = objection_to_log(c.audit_path);
    return said.empty() ? said : "audit log: " + said;
}

std::string objection_to_state(const config& c)
{
    if (c.state.empty()) return {};
    const auto said = objection_to_directory(c.state, "'state' in [policy]");
    return said.empty() ? said : "state: " + said;
}

// The other exeat processes that serve, as far as they are visible.
std::vector<int> serving_exeats()
{
    std::vector<int> out;
    std::error_code failed;
    for (fs::directory_iterator at{"/proc", failed}, end; !failed && at != end; at.increment(failed)) {
        const auto name = at->path().filename().string();
        if (name.find_first_not_of("0123456789") != name.npos || name == std::to_string(::getpid())) continue;
        std::ifstream file{at->path() / "cmdline", std::ios::binary};
        std::string program;
        std::getline(file, program, '\0');
        if (fs::path{program}.filename() == "exeatd") out.push_back(std::stoi(name)); // the program that `exeat serve` executes
    }
    return out;
}

// The inodes of the sockets that listen on the port (proc_pid_net(5): the local address, the state, and the inode as the tenth field).
std::set<std::string> listening_on(std::uint16_t port)
{
    std::set<std::string> out;
    const auto suffix = fmt::format(":{:04X}", port);
    for (const auto* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream lines{table};
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words{line};
            const std::vector<std::string> word{std::istream_iterator<std::string>{words}, {}};
            constexpr std::size_t local = 1, state = 3, inode = 9;
            if (word.size() > inode && word[local].ends_with(suffix) && word[state] == "0A") out.insert("socket:[" + word[inode] + "]");
        }
    }
    return out;
}

// Whether the process has one of the sockets. True also for another user's process, whose descriptors are not visible.
bool may_have(int process, const std::set<std::string>& sockets)
{
    std::error_code failed;
    fs::directory_iterator at{fmt::format("/proc/{}/fd", process), failed};
    if (failed) return true;
    for (const fs::directory_iterator end; !failed && at != end; at.increment(failed)) {
        std::error_code gone;
        if (sockets.contains(fs::read_symlink(at->path(), gone).string())) return true;
    }
    return false;
}

// The process that has the port or may have it; 0: none.
int holder_of(std::uint16_t port, const std::vector<int>& exeats)
{
    const auto sockets = exeats.empty() ? std::set<std::string>{} : listening_on(port);
    const auto found = std::find_if(exeats.begin(), exeats.end(), [&](int process) { return may_have(process, sockets); });
    return found == exeats.end() ? 0 : *found;
}

// The error of bind(2). The socket never listens, so it takes no connection from another process.
int bind_error(const endpoint& at, bool transparent)
{
    const bool v4 = at.address.is_v4();
    const net::unique_fd fd{::socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!fd) return errno;
    const int on = 1;
    ::setsockopt(fd.value(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!v4) ::setsockopt(fd.value(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (transparent &&
        ::setsockopt(fd.value(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT, &on, sizeof on) != 0)
        return errno;
    const auto to = net::to_kernel(at);
    return ::bind(fd.value(), to.data(), to.size) == 0 ? 0 : errno;
}

void try_address(const endpoint& at, bool transparent, const std::vector<int>& exeats, start_needs& out)
{
    const int error = bind_error(at, transparent);
    if (error == 0) return;
    const int serving = holder_of(at.port, exeats);
    // A running exeat already has its sockets, by its own privileges or from the service manager.
    const bool had = serving != 0 && (error == EADDRINUSE || error == EACCES || error == EPERM);
    if (had && error == EADDRINUSE)
        out.notes.push_back(fmt::format("{} is in use, as it should be while exeat runs (pid {})", at.to_string(), serving));
    else if (had)
        out.notes.push_back(
            fmt::format("uid {} may not listen on {}; exeat runs (pid {}), so that was not tried", ::geteuid(), at.to_string(), serving));
    else out.wrong.push_back(listen_error(at, error));
}

void require_files(const config& c)
{
    for (const auto& said : {objection_to_audit(c), objection_to_state(c)})
        if (!said.empty()) throw std::runtime_error{said};
    if (c.audit_path == "stdout") return;
    constexpr int how = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK; // as the audit log will be opened
    const net::unique_fd log{::open(c.audit_path.c_str(), how, 0640)};
    if (!log && errno != ENOSPC && errno != EDQUOT)
        throw std::runtime_error{
            fmt::format("audit log: cannot open {}: {}; name another 'path' in [audit]", c.audit_path, words_of(errno))};
    if (log && ::flock(log.value(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        throw std::runtime_error{
            fmt::format("audit log: another process writes {}; give each its own, by 'path' in [audit] or --audit", c.audit_path)};
}

} // namespace

start_needs try_start(const config& c)
{
    start_needs out;
    for (auto said : {objection_to_audit(c), objection_to_state(c)})
        if (!said.empty()) out.wrong.push_back(std::move(said));
    const auto exeats = serving_exeats();
    for (const auto& l : c.listeners) try_address(l.address, l.mode == listen_mode::transparent && l.via == intercept::tproxy, exeats, out);
    try_address(c.admin, false, exeats, out);
    return out;
}

open_sockets open_after_files(const config& c)
{
    require_files(c);
    return open_all(c);
}

} // namespace exeat::ops
