#include <ops/start_needs.hpp>
#include <ops/start_paths.hpp>

#include <net/sockets/socket.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <optional>
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

struct exeat_process {
    int pid = 0;
    std::string config; // the path of its exeat.toml; empty where that is relative to a directory which is not visible: another user's
};

std::vector<std::string> arguments_of(const fs::path& process)
{
    std::ifstream file{process / "cmdline", std::ios::binary};
    std::vector<std::string> out;
    for (std::string one; std::getline(file, one, '\0');) out.push_back(std::move(one));
    return out;
}

// The process, if it serves: `exeat serve` becomes exeatd, with the same options.
std::optional<exeat_process> exeat_at(const fs::path& process)
{
    constexpr std::string_view option = "--config";
    const auto arguments = arguments_of(process);
    if (arguments.empty() || fs::path{arguments[0]}.filename() != "exeatd") return std::nullopt;
    fs::path named;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (arguments[i] == option && i + 1 < arguments.size()) named = arguments[i + 1];
        else if (arguments[i].starts_with("--config=")) named = arguments[i].substr(option.size() + 1);
    }
    if (named.empty()) return std::nullopt;
    std::error_code failed;
    const auto base = named.is_absolute() ? fs::path{"/"} : fs::read_symlink(process / "cwd", failed);
    return exeat_process{std::stoi(process.filename().string()),
                         failed ? std::string{} : fs::weakly_canonical(base / named, failed).string()};
}

// The other exeat processes that serve, as far as they are visible.
std::vector<exeat_process> serving_exeats()
{
    std::vector<exeat_process> out;
    std::error_code failed;
    for (fs::directory_iterator at{"/proc", failed}, end; !failed && at != end; at.increment(failed)) {
        const auto name = at->path().filename().string();
        if (name.find_first_not_of("0123456789") != name.npos || name == std::to_string(::getpid())) continue;
        if (auto found = exeat_at(at->path())) out.push_back(std::move(*found));
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

// The process that has the port or may have it; null: none.
const exeat_process* holder_of(std::uint16_t port, const std::vector<exeat_process>& exeats)
{
    const auto sockets = exeats.empty() ? std::set<std::string>{} : listening_on(port);
    const auto found = std::find_if(exeats.begin(), exeats.end(), [&](const auto& e) { return may_have(e.pid, sockets); });
    return found == exeats.end() ? nullptr : &*found;
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

struct machine {
    std::string config;
    std::vector<exeat_process> exeats;
};

void try_address(const endpoint& at, bool transparent, const machine& here, start_needs& out)
{
    const int error = bind_error(at, transparent);
    if (error == 0) return;
    const auto* serving = holder_of(at.port, here.exeats);
    if (serving != nullptr && !serving->config.empty() && serving->config != here.config && error == EADDRINUSE)
        out.notes.push_back(fmt::format("{} is in use by another exeat (pid {}), which reads {}; stop that one, or name another 'address'",
                                        at.to_string(), serving->pid, serving->config));
    // A running exeat already has its sockets, by its own privileges or from the service manager.
    else if (serving != nullptr && error == EADDRINUSE)
        out.notes.push_back(fmt::format("{} is in use, as it should be while exeat runs (pid {})", at.to_string(), serving->pid));
    else if (serving != nullptr && (error == EACCES || error == EPERM))
        out.notes.push_back(fmt::format("uid {} may not listen on {}; exeat runs (pid {}), so that was not tried", ::geteuid(),
                                        at.to_string(), serving->pid));
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

start_needs try_start(const config& c, const std::string& file)
{
    start_needs out;
    for (auto said : {objection_to_audit(c), objection_to_state(c)})
        if (!said.empty()) out.wrong.push_back(std::move(said));
    std::error_code failed;
    const machine here{fs::weakly_canonical(file, failed).string(), serving_exeats()};
    if (const int writer = writer_of_audit(c); writer != 0) {
        const bool ours = std::ranges::any_of(
            here.exeats, [&](const auto& e) { return e.pid == writer && (e.config.empty() || e.config == here.config); });
        if (!ours)
            out.wrong.push_back(fmt::format("audit log: another process (pid {}) writes {}; give each its own, by 'path' in [audit]",
                                            writer, c.audit_path));
    }
    if (fs::is_fifo(c.audit_path, failed))
        out.notes.push_back(
            fmt::format("audit log: {} is a FIFO; exeat starts only while somebody reads it, which was not tried", c.audit_path));
    for (const auto& l : c.listeners) try_address(l.address, l.mode == listen_mode::transparent && l.via == intercept::tproxy, here, out);
    try_address(c.admin, false, here, out);
    return out;
}

open_sockets open_after_files(const config& c)
{
    require_files(c);
    return open_all(c);
}

} // namespace exeat::ops
