#include <ops/files/resolv_conf.hpp>

#include <exeat/limits.hpp>
#include <ops/files/file_source.hpp>
#include <ops/text/endpoint_text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <string_view>
#include <utility>

namespace exeat::ops {

namespace {

constexpr std::size_t file_bytes = 1024 * 1024; // limit for resolv.conf; a usual file has about a hundred
constexpr std::uint16_t dns_port = 53;
constexpr std::size_t shown_octets = 64; // shown of a word that is not an address
constexpr std::string_view blanks = " \t\r\v\f";

std::string_view next_word(std::string_view& line)
{
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    const auto word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    return word;
}

problem warning(const std::string& file, std::size_t line, std::string text)
{
    return {file, static_cast<std::uint32_t>(line), line == 0 ? 0u : 1u, problem::weight::warning, std::move(text)};
}

std::string as_shown(std::string_view word)
{
    std::string out{word.substr(0, shown_octets)};
    for (auto& c : out)
        if (c < ' ' || c > '~') c = '?';
    return out;
}

void read_line(std::string_view line, std::size_t number, const std::string& file, named_servers& to)
{
    line = line.substr(0, line.find_first_of("#;"));
    if (next_word(line) != "nameserver") return;
    const auto word = next_word(line);
    const auto server = parse_endpoint(word, dns_port);
    const auto wrong = [&](std::string text) { to.problems.push_back(warning(file, number, std::move(text))); };
    if (!server)
        return wrong(fmt::format("'{}' is not a DNS server that exeat can ask; write an IP address without a zone", as_shown(word)));
    if (std::find(to.servers.begin(), to.servers.end(), *server) != to.servers.end()) return;
    if (to.servers.size() == limits::dns_servers)
        return wrong(fmt::format("this DNS server is not asked; exeat asks the first {}", limits::dns_servers));
    to.servers.push_back(*server);
}

} // namespace

named_servers read_resolv_conf(const std::string& path)
{
    named_servers out;
    const auto text = read_whole(path, file_bytes);
    std::string_view left = text ? std::string_view{*text} : std::string_view{};
    for (std::size_t number = 1; !left.empty(); ++number) {
        const auto line = left.substr(0, left.find('\n'));
        if (out.problems.size() < limits::dns_servers) read_line(line, number, path, out);
        left.remove_prefix(std::min(line.size() + 1, left.size()));
    }
    if (!text) out.problems.push_back(warning(path, 0, text.error()));
    else if (out.servers.empty())
        out.problems.push_back(
            warning(path, 0, "names no DNS server that exeat can ask; add a nameserver line, or write servers in [dns]"));
    return out;
}

} // namespace exeat::ops
