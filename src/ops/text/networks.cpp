#include <ops/text/networks.hpp>

#include <exeat/address_class.hpp>
#include <ops/text/allowlist_toml_keys.hpp>
#include <ops/text/exeat_toml_keys.hpp>

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

constexpr toml_key sources = key_of(allowlist_toml::groups, "sources"), within = key_of(allowlist_toml::private_link, "within"),
                   addresses = key_of(allowlist_toml::private_link, "addresses"),
                   senders = key_of(exeat_toml::listen, "proxy_protocol_from");

// IPv4 is stored as IPv4-mapped IPv6, so "::/0" would include all of it without saying so.
bool takes_v4_unsaid(const ip_prefix& p) noexcept { return p.bits < 96 && p.contains(ip_address::v4(0)); }

} // namespace

bool written_as_network(std::string_view text) noexcept
{
    const auto slash = text.find('/');
    return slash != text.npos && ip_address::parse(text.substr(0, slash));
}

std::string_view without_group(std::string_view client) noexcept
{
    const auto slash = client.find('/');
    const bool labelled = slash != client.npos && client.find_first_of(".:") > slash;
    return labelled ? client.substr(slash + 1) : client;
}

namespace {

std::string objection_to_network(std::string_view text)
{
    const auto shown = as_shown(text);
    const auto slash = text.find('/');
    const auto address = ip_address::parse(text.substr(0, slash));
    const auto digits = slash == text.npos ? std::string_view{} : text.substr(slash + 1);
    unsigned bits = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    const bool number = failure == std::errc{} && end == digits.data() + digits.size() && !digits.empty();
    if (!address || !number)
        return fmt::format("{} is not a network; write it like \"10.42.0.0/16\" or \"fd00:42::/64\", host bits zero", shown);
    const unsigned most = address->is_v4() ? 32 : 128;
    if (bits > most)
        return fmt::format("{} is not a network: the prefix of an IPv{} network is at most {}; write \"{}/{}\" or a shorter prefix", shown,
                           most == 32 ? 4 : 6, most, address->to_string(), most);
    const auto meant = ip_prefix::around(*address, static_cast<std::uint8_t>(bits + 128 - most));
    return fmt::format("{} is not a network: bits behind the prefix are set; write \"{}\", or \"{}\" for the one address", shown,
                       meant.to_string(), address->to_string());
}

} // namespace

boost::system::result<ip_prefix, std::string> parse_network(std::string_view text)
{
    using outcome = boost::system::result<ip_prefix, std::string>;
    const auto p = ip_prefix::parse(text);
    if (!p) return outcome{boost::system::in_place_error, objection_to_network(text)};
    if (takes_v4_unsaid(*p))
        return outcome{
            boost::system::in_place_error,
            fmt::format("{} takes in every IPv4 address too; write the IPv6 networks you mean, like \"2000::/3\"", as_shown(text))};
    return outcome{boost::system::in_place_value, *p};
}

std::optional<ip_prefix> read_network(const located_text& t, diagnostics& wrong)
{
    const auto p = parse_network(t.text);
    if (p) return *p;
    wrong.error(t.at, p.error());
    return std::nullopt;
}

namespace {

std::string_view where_nobody_goes(const ip_address& a) noexcept
{
    switch (classify(a)) {
    case address_class::global:
    case address_class::private_use:
    case address_class::loopback: return {};
    default: return to_string(classify(a));
    }
}

// A network may be wide, because each address of an answer is also checked by its own class, but it must not include addresses that no
// entry can open.
std::string_view forbidden_part(const ip_prefix& p) noexcept
{
    const auto loopback = [](const ip_address& a) { return classify(a) == address_class::loopback; };
    if (loopback(p.network) || loopback(p.last()) || p.contains(ip_address::v4(0x7f000001))) return "loopback";
    if (p.contains(ip_address::v4(0xa9fea9fe))) return "metadata";
    for (const auto& a : {p.network, p.last()})
        if (const auto word = where_nobody_goes(a); !word.empty()) return word;
    return {};
}

void read_within(section& s, rule& link)
{
    for (const auto& t : s.texts(within).value_or(std::vector<located_text>{})) {
        const auto p = read_network(t, s.wrong());
        if (!p) continue;
        const auto word = forbidden_part(*p);
        if (word.empty()) link.within.push_back(*p);
        else if (word == "loopback")
            s.wrong().error(t.at,
                            fmt::format("{} takes in loopback; pin single loopback addresses in 'addresses' instead", as_shown(t.text)));
        else s.wrong().error(t.at, fmt::format("{} takes in {} addresses, which no entry opens; narrow it", as_shown(t.text), word));
    }
}

void read_pinned(section& s, rule& link)
{
    for (const auto& t : s.texts(addresses).value_or(std::vector<located_text>{})) {
        const auto a = ip_address::parse(t.text);
        if (!a) s.wrong().error(t.at, fmt::format("{} is not an address; write it like \"10.20.8.4\" or \"fd00:42::4\"", as_shown(t.text)));
        else if (const auto word = where_nobody_goes(*a); !word.empty())
            s.wrong().error(t.at, fmt::format("{} is {}, which no entry opens; remove it", as_shown(t.text), word));
        else if (!link.within.empty() &&
                 std::none_of(link.within.begin(), link.within.end(), [&](const ip_prefix& p) { return p.contains(*a); }))
            s.wrong().error(t.at, fmt::format("{} does not lie in 'within'; fix one of the two", as_shown(t.text)));
        else link.addresses.push_back(*a);
    }
}

void refuse_empty(section& s, toml_key key)
{
    if (const auto* list = s.array(key.name); list != nullptr && list->empty())
        s.reject(key.name, fmt::format("'{}' is empty; write {} = {} or remove it", key.name, key.name, key.example));
}

} // namespace

std::vector<ip_prefix> read_sources(section& s)
{
    std::vector<ip_prefix> out;
    for (const auto& t : s.texts(sources).value_or(std::vector<located_text>{}))
        if (const auto p = read_network(t, s.wrong())) out.push_back(*p);
    if (!s.has(sources.name)) s.missing(sources);
    refuse_empty(s, sources);
    return out;
}

std::vector<ip_prefix> read_proxy_senders(section& s)
{
    std::vector<ip_prefix> out;
    for (const auto& t : s.texts(senders).value_or(std::vector<located_text>{})) {
        const auto p = read_network(t, s.wrong());
        if (p && (p->bits == 0 || *p == ip_prefix::parse("0.0.0.0/0")))
            s.wrong().error(t.at, fmt::format("{} lets anybody say who they are; name the load balancers alone", as_shown(t.text)));
        else if (p) out.push_back(*p);
    }
    refuse_empty(s, senders);
    return out;
}

void read_link_networks(section& s, rule& link)
{
    read_within(s, link);
    read_pinned(s, link);
    refuse_empty(s, within);
    refuse_empty(s, addresses);
    if (!s.has(within.name) && !s.has(addresses.name))
        s.wrong().error(s.where(), fmt::format("{} says neither 'within' nor 'addresses'; add within = {}", s.title(), within.example));
}

} // namespace exeat::ops
