#include <exeat/detect/host_history.hpp>

#include <algorithm>
#include <span>

namespace exeat::detect {

namespace {

constexpr moment hour{3'600}, day{86'400}, fortnight{14 * 86'400};

} // namespace

host_history::host_history(std::size_t capacity, std::uint64_t seed, const thresholds& than)
    : seed_{seed}, than_{than}, hosts_{capacity, {seed}}, clients_{capacity, {seed}}
{}

void host_history::see(const flow_event& e, findings& out)
{
    met_.reset();
    if (e.step == flow_step::deny) return;
    auto& who = clients_.use({e.acquainted(), 0});
    if (!who.begun || who.last + fortnight < e.at) who.since = e.at, who.begun = true;
    who.last = e.at;
    const auto to = hash_of(e.host, seed_) | 1;
    const bool known = who.since + day <= e.at;
    auto& h = hosts_.use({e.acquainted(), to});
    meet(h, e, known);
    const bool of_pods = e.client != e.acquainted();
    if (e.step == flow_step::open && !of_pods) listen(h, e, out);
    weigh(h, e, out);
    if (e.step == flow_step::open && is_new(h, e.at)) met_ = {h.since + day, h.hour_up};
    h.last = e.at;
    if (e.step == flow_step::open && of_pods) listen_to_pod(e, to, h.since, h.new_to_client, out);
}

// The openings of many pods together have no rhythm, so each pod is listened to alone.
void host_history::listen_to_pod(const flow_event& e, std::uint64_t to, moment since, bool is_new, findings& out)
{
    auto& h = hosts_.use({e.client, to});
    if (!h.begun || h.last + fortnight < e.at) h = host{}, h.begun = true;
    h.since = since, h.new_to_client = is_new, h.last = e.at;
    listen(h, e, out);
}

std::optional<host_history::meeting> host_history::would_meet(const ip_address& client, std::string_view to, moment now) const
{
    const auto* h = hosts_.look({client, hash_of(to, seed_) | 1});
    if (h != nullptr && h->begun && h->last + fortnight >= now) {
        if (!is_new(*h, now)) return std::nullopt;
        return meeting{h->since + day, now >= h->hour_began + hour ? 0 : h->hour_up};
    }
    const auto* who = clients_.look({client, 0});
    const bool known = who != nullptr && who->begun && who->last + fortnight >= now && who->since + day <= now;
    return known ? std::optional{meeting{now + day, 0}} : std::nullopt;
}

// A client that is itself new has only new hosts, so they mean nothing.
void host_history::meet(host& h, const flow_event& e, bool known)
{
    if (h.begun && h.last + fortnight >= e.at) return;
    h = host{};
    h.begun = true;
    h.since = h.hour_began = e.at;
    h.new_to_client = known;
}

bool host_history::is_new(const host& h, moment now) noexcept { return h.new_to_client && now < h.since + day; }

void host_history::weigh(host& h, const flow_event& e, findings& out) const
{
    if (e.at >= h.hour_began + hour) h.hour_began = e.at, h.hour_up = 0;
    h.hour_up += e.up;
    const bool much = e.over_new_host || h.hour_up > than_.first_seen_bytes;
    if (much && is_new(h, e.at) && h.told_first.may(e.at, day))
        out.push_back({detector::first_seen, e.client, e.entry, static_cast<double>(std::max(h.hour_up, than_.first_seen_bytes)),
                       static_cast<double>(than_.first_seen_bytes)});
}

void host_history::listen(host& h, const flow_event& e, findings& out) const
{
    const auto gap = h.opened == moment{0} ? moment{0} : e.at - h.opened;
    const bool first = h.opened == moment{0};
    h.opened = e.at;
    if (first) return;
    h.gaps[h.gap_count++ % most_gaps] = static_cast<std::uint32_t>(gap.count());
    const auto count = std::min(h.gap_count, most_gaps);
    if (count < than_.beacon_gaps || !h.new_to_client || e.at >= h.since + fortnight) return;
    auto sorted = h.gaps;
    const std::span gaps{sorted.data(), count};
    std::nth_element(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(count / 2), gaps.end());
    const double median = gaps[count / 2];
    const auto regular = std::count_if(gaps.begin(), gaps.end(), [&](double g) {
        return g >= median * (1 - than_.beacon_width) && g <= median * (1 + than_.beacon_width);
    });
    const auto share = static_cast<double>(regular) / static_cast<double>(count);
    if (median >= than_.beacon_gap_seconds && share >= than_.beacon_regular && h.told_beacon.may(e.at, day))
        out.push_back({detector::beacon, e.client, e.entry, share, than_.beacon_regular});
}

} // namespace exeat::detect
