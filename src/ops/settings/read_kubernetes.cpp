#include <ops/settings/read_kubernetes.hpp>

#include <exeat/limits.hpp>
#include <ops/settings/read_policy.hpp>
#include <ops/text/exeat_toml_keys.hpp>
#include <ops/text/networks.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

consteval toml_key key(std::string_view name) { return key_of(exeat_toml::kubernetes, name); }

void read_networks(section& s, std::vector<ip_prefix>& to)
{
    constexpr auto networks = key("networks");
    if (!s.has(networks.name)) return s.missing(networks);
    for (const auto& t : s.texts(networks).value_or(std::vector<located_text>{})) {
        const auto p = read_network(t, s.wrong());
        if (!p) continue;
        if (std::find(to.begin(), to.end(), *p) != to.end())
            s.wrong().error(t.at, fmt::format("{} is listed twice; remove one", as_shown(t.text)));
        else to.push_back(*p);
    }
    if (const auto* list = s.array(networks.name); list != nullptr && list->empty())
        s.reject(networks.name, fmt::format("'networks' is empty; write networks = {}", networks.example));
}

} // namespace

void read_kubernetes(section& s, config& c)
{
    constexpr auto file = key("pods_file");
    constexpr std::array<std::string_view, 2> stale_words{"deny", "keep"};
    auto& k = c.kubernetes;
    read_networks(s, k.networks);
    if (!s.has(file.name)) s.missing(file);
    if (const auto p = s.text(file, limits::path_octets)) k.pods_file = beside_config(s.wrong().file(), *p);
    if (const auto t = s.duration(key("wait"))) k.wait = *t;
    if (const auto t = s.duration(key("stale_after"))) k.stale_after = *t;
    k.keeps_stale = s.word(key("when_stale"), stale_words).value_or(0) == 1;
}

} // namespace exeat::ops
