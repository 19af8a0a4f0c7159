#include <ops/text/host_text.hpp>

#include <exeat/address_class.hpp>
#include <ops/text/diagnostics.hpp>
#include <ops/text/international_name.hpp>
#include <ops/text/networks.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

bool ascii(std::string_view s) noexcept
{
    return std::all_of(s.begin(), s.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::string_view base_of(std::string_view pattern) noexcept
{
    if (pattern.starts_with("**.")) return pattern.substr(3);
    return pattern.starts_with("*.") ? pattern.substr(2) : pattern;
}

// An address followed by names, as in hosts(5); many published block lists have this format.
bool line_of_hosts(std::string_view text) noexcept
{
    const auto end = text.find_first_of(" \t");
    return end != text.npos && ip_address::parse(text.substr(0, end));
}

// For blanks, which are easily overlooked.
std::string_view fix_for_blanks(std::string_view text) noexcept
{
    const auto at = text.find_first_of(" \t");
    if (at == text.npos) return {};
    const bool behind = text.find_first_not_of(" \t", at) == text.npos, before = at == 0;
    if (text[at] == '\t') return behind ? "there is a tab behind the name; remove it" : "there is a tab in the name; remove it";
    if (behind) return "there is a space behind the name; remove it";
    return before ? "there is a space in front of the name; remove it"
                  : "there is a space in the name; write each name in quotes of its own";
}

// Suggests the A-label, and names letters that may be mistaken for Latin ones.
std::string fix_for_letters(std::string_view text)
{
    const auto base = base_of(text);
    const auto label = to_a_labels(std::string{base});
    if (label.empty()) return "only ASCII letters, digits, '-' and '_': write an international name as its A-label (xn--…)";
    auto out = fmt::format("write the name as its A-label: {}{}", text.substr(0, text.size() - base.size()), label);
    const auto foreign = foreign_letters(label);
    if (!foreign.empty()) out += fmt::format("; but {}, so if a Latin letter is meant, type the name anew", foreign);
    return out;
}

std::string fix_for_url(std::string_view text)
{
    text.remove_prefix(text.find("://") + 3);
    const auto host = text.substr(0, text.find_first_of("/?#:"));
    constexpr std::string_view what = "that is a URL: write the host alone, the port in 'ports'";
    return hostname::parse(host) ? fmt::format("{}: \"{}\"", what, host) : std::string{what};
}

std::string fix_for(std::string_view text)
{
    const auto base = base_of(text);
    const bool wildcard = base.size() != text.size();
    if (text.empty()) return "it is empty: write a name like pkg.test or remove it";
    if (line_of_hosts(text)) return "that is a line of an /etc/hosts file: write the name alone, without an address in front";
    if (const auto fix = fix_for_blanks(text); !fix.empty()) return std::string{fix};
    if (!ascii(text)) return fix_for_letters(text);
    if (text.find("://") != text.npos) return fix_for_url(text);
    if (written_as_network(text)) return "that is a network, which only a [[deny]] takes: write the names that are meant";
    if (text.find('/') != text.npos) return "that is a path: write host names, one each";
    if (text.starts_with('.') && text.size() > 1 && text[1] != '.')
        return "no name begins with a dot: write the name without it for the host itself, and with **. in front for every name below it";
    if (base.find('*') != base.npos) return "'*.' or '**.' at the very front is the only wildcard";
    if (wildcard && ip_address::parse(base)) return "an address has no wildcard: write single addresses";
    if (wildcard && base.find('.') == base.npos)
        return "a wildcard there takes in everybody: write it above at least two labels, like *.example.org";
    if (ip_address::parse(text)) return "write an IPv6 address in brackets, like [2001:db8::1]";
    if (text.find(':') != text.npos) return "write the host alone, the port in 'ports'";
    if (text.find('.') == text.npos) return "it has no dot: write the full name, like pkg.test";
    return "write it like pkg.test, *.example.org or 192.0.2.1";
}

} // namespace

std::string explain_bad_host(std::string_view text) { return fmt::format("{} is not a host; {}", as_shown(text), fix_for(text)); }

namespace {

bool reachable(const rule& r, const ip_address& a) noexcept
{
    const auto of = classify(a);
    if (of == address_class::global) return true;
    return r.kind == rule_kind::private_link && (of == address_class::private_use || of == address_class::loopback);
}

std::string objection_to_literal(const host_pattern& host, const rule& r)
{
    const auto& address = *host.base.address();
    if (!reachable(r, address))
        return fmt::format("{} is {}, which {} cannot open; {}", host.to_string(), to_string(classify(address)),
                           r.kind == rule_kind::allow ? "an [[allow]]" : "a [[private_link]]",
                           r.kind == rule_kind::allow && classify(address) == address_class::private_use ? "use a [[private_link]]"
                                                                                                         : "remove it");
    if (r.protocol == protocol::tls)
        return fmt::format("{} is an address, and TLS clients send no server name for one; set protocol = \"tcp\" or \"http\"",
                           host.to_string());
    return {};
}

} // namespace

std::string objection_to(const host_pattern& host, const rule& r)
{
    if (r.kind == rule_kind::deny) return {};
    if (host.base.address()) return objection_to_literal(host, r);
    if (r.protocol == protocol::tcp && host.how != host_pattern::reach::exact)
        return fmt::format("{} is a wildcard, and raw TCP shows no name to hold it to; write exact hosts with protocol = \"tcp\"",
                           host.to_string());
    return {};
}

} // namespace exeat::ops
