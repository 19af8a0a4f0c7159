#include <ops/policy/grant.hpp>

#include <ops/text/toml_text.hpp>
#include <ops/text/utc.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace exeat::ops {

namespace {

std::string texts(const std::vector<std::string>& all)
{
    std::vector<std::string> quoted;
    for (const auto& text : all) quoted.push_back(toml_text(text));
    return fmt::format("[{}]", fmt::join(quoted, ", "));
}

void add(std::string& out, std::string_view key, const std::string& text)
{
    if (!text.empty()) out += fmt::format("{} = {}\n", key, toml_text(text));
}

} // namespace

std::string grant::to_toml() const
{
    auto out = fmt::format("expires = {}\n\n[[allow]]\n", utc(expires));
    add(out, "name", name);
    out += fmt::format("hosts = {}\n", texts(hosts));
    if (!groups.empty()) out += fmt::format("groups = {}\n", texts(groups));
    if (!ports.empty()) out += fmt::format("ports = [{}]\n", fmt::join(ports, ", "));
    add(out, "protocol", protocol);
    add(out, "purpose", purpose);
    add(out, "owner", owner);
    add(out, "reason", reason);
    add(out, "ticket", ticket);
    out += fmt::format("expires = {}\n", utc(expires)); // of the entry too: its metric and `exeat grants` tell it
    return out + "end = true\n";                        // whole (end_mark.hpp), whoever copies it
}

} // namespace exeat::ops
