#include <exeat/detect/names.hpp>

#include <algorithm>

namespace exeat::detect {

namespace {

constexpr moment hour{3'600}, day{86'400};
constexpr double bits_an_octet = 5.2; // letters, digits and '-': log2(37)

} // namespace

void name_watch::see(const flow_event& e, findings& out)
{
    const bool asked = e.step == flow_step::open || e.verdict == verdict::name_budget;
    if (!asked || !e.wildcard || e.entry.id == 0) return;
    auto& u = entries_.use({e.client, e.entry.id});
    turn(u, e.at);
    const auto name = hash_of(e.host, seed_);
    channel(u, e, name, out);
    fan(u, e, name, out);
}

void name_watch::turn(use& u, moment now) const
{
    if (!u.begun) u.begun = true, u.hour_began = u.day_began = now;
    if (now >= u.hour_began + hour) {
        u.hour_names.clear();
        u.octets = 0, u.news = 0;
        u.hour_began = now;
    }
    if (now < u.day_began + day) return;
    u.days[u.day++ % u.days.size()] = static_cast<float>(u.day_names.estimate());
    if (now >= u.day_began + 7 * day) u.days = {};
    u.day_names.clear();
    u.day_began = now;
}

// The mean length is that of the names that changed a register: an outsider cannot tell which ones do.
void name_watch::channel(use& u, const flow_event& e, std::uint64_t name, findings& out) const
{
    if (!u.hour_names.add(name)) return;
    u.octets += static_cast<double>(e.host.size());
    ++u.news;
    const auto carried = u.hour_names.estimate() * (u.octets / u.news) * bits_an_octet / 8;
    if (carried > than_.name_channel_bytes && u.told_channel.may(e.at, hour))
        out.push_back({detector::name_channel, e.client, e.entry, carried, than_.name_channel_bytes});
}

void name_watch::fan(use& u, const flow_event& e, std::uint64_t name, findings& out) const
{
    if (!u.day_names.add(name)) return;
    const double most = *std::max_element(u.days.begin(), u.days.end());
    const auto threshold = std::max(than_.fan_out_least, than_.fan_out_times * most);
    const auto names = u.day_names.estimate();
    if (names > threshold + 0.5 && u.told_fan.may(e.at, day)) out.push_back({detector::fan_out, e.client, e.entry, names, threshold});
}

} // namespace exeat::detect
