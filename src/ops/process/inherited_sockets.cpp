#include <ops/process/inherited_sockets.hpp>

#include <exeat/limits.hpp>
#include <net/sockets/listening_socket.hpp>
#include <ops/process/environment.hpp>
#include <ops/text/diagnostics.hpp>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdexcept>
#include <unistd.h>

namespace exeat::ops {

namespace {

constexpr int first_inherited = 3; // SD_LISTEN_FDS_START

[[noreturn]] void refuse(std::string why) { throw std::runtime_error{"inherited sockets: " + std::move(why)}; }

std::size_t number(std::string_view text)
{
    std::size_t n = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (failed != std::errc{} || end != text.data() + text.size()) refuse(fmt::format("LISTEN_FDS is {} and no number", as_shown(text)));
    if (n > limits::inherited_sockets) refuse(fmt::format("there are {}; pass {} at most", n, limits::inherited_sockets));
    return n;
}

std::string shown(const inherited_socket& s) { return fmt::format("descriptor {} ({})", s.fd.value(), as_shown(s.name)); }

std::string names_of(const std::vector<listener>& all)
{
    std::string out;
    for (const auto& l : all) out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", as_shown(l.socket), l.address.to_string());
    return out;
}

std::size_t listener_for(const inherited_socket& s, const net::listening_socket& found, const config& c)
{
    const auto same_name = [&](const listener& l) { return l.socket == s.name; };
    const auto same = [&](const listener& l) { return same_name(l) && l.address == found.at; };
    const auto at = std::find_if(c.listeners.begin(), c.listeners.end(), same);
    if (at != c.listeners.end()) return static_cast<std::size_t>(at - c.listeners.begin());
    if (std::none_of(c.listeners.begin(), c.listeners.end(), same_name))
        refuse(fmt::format("no [[listen]] is called as {} is; give it the FileDescriptorName= of one of them: {}", shown(s),
                           names_of(c.listeners)));
    refuse(fmt::format("{} listens on {}, where no [[listen]] of that name does; they are: {}", shown(s), found.at.to_string(),
                       names_of(c.listeners)));
}

void assign_admin(inherited_socket s, const net::listening_socket& found, const config& c, assigned_sockets& to)
{
    if (to.admin) refuse(fmt::format("{} is a second one for the admin page; pass one", shown(s)));
    if (found.at != c.admin)
        refuse(fmt::format("{} listens on {}, and [admin] says {}", shown(s), found.at.to_string(), c.admin.to_string()));
    to.admin = std::move(s.fd);
}

void assign_one(inherited_socket s, const config& c, assigned_sockets& to)
{
    const auto found = net::look_at_socket(s.fd.value());
    if (!found) refuse(fmt::format("{} {}", shown(s), found.error()));
    if (s.name == admin_socket) return assign_admin(std::move(s), *found, c, to);
    const auto i = listener_for(s, *found, c);
    if (const auto wrong = net::objection_to(*found, c.listeners[i])) refuse(fmt::format("{} {}", shown(s), *wrong));
    to.of_listener[i].push_back(std::move(s.fd));
}

// Several sockets for one address share its connections, at most one for each worker. A single socket must not have SO_REUSEPORT, or
// another process could listen beside it.
void check_number(const std::vector<net::unique_fd>& sockets, const listener& l, std::size_t workers)
{
    const auto name = fmt::format("[[listen]] {} ({})", as_shown(l.socket), l.address.to_string());
    if (sockets.empty()) refuse(fmt::format("{} has none, and the others have; pass one for each, or none at all", name));
    if (sockets.size() > workers)
        refuse(fmt::format("{} has {}, and there are {} workers to serve them; pass one, or one a worker", name, sockets.size(), workers));
    if (sockets.size() == 1 && net::look_at_socket(sockets.front().value())->reuse_port)
        refuse(fmt::format("{} has one alone with SO_REUSEPORT, beside which others could open theirs; remove ReusePort=", name));
}

} // namespace

std::vector<std::string> socket_names(std::string_view count, std::string_view names)
{
    const auto n = number(count);
    std::vector<std::string> out;
    for (auto rest = names; !names.empty();) {
        const auto colon = rest.find(':');
        out.emplace_back(rest.substr(0, colon));
        if (colon == rest.npos || out.size() > limits::inherited_sockets) break;
        rest.remove_prefix(colon + 1);
    }
    if (out.size() != n) refuse(fmt::format("there are {} and {} names; give each socket its FileDescriptorName=", n, out.size()));
    for (const auto& name : out)
        if (name.empty()) refuse("one has no name; give each socket its FileDescriptorName=");
    return out;
}

std::vector<inherited_socket> inherited_sockets()
{
    const auto pid = take_from_environment("LISTEN_PID"), count = take_from_environment("LISTEN_FDS"),
               names = take_from_environment("LISTEN_FDNAMES");
    std::vector<inherited_socket> out;
    if (pid != std::to_string(::getpid()) || count.empty()) return out; // they belong to another process
    int fd = first_inherited;
    for (auto& name : socket_names(count, names)) {
        if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) refuse(fmt::format("descriptor {} ({}) is not open", fd, as_shown(name)));
        out.push_back({net::unique_fd{fd++}, std::move(name)});
    }
    return out;
}

assigned_sockets assign(std::vector<inherited_socket> all, const config& c)
{
    assigned_sockets out;
    out.of_listener.resize(c.listeners.size());
    for (auto& s : all) assign_one(std::move(s), c, out);
    for (std::size_t i = 0; i < c.listeners.size(); ++i) check_number(out.of_listener[i], c.listeners[i], c.workers);
    return out;
}

} // namespace exeat::ops
