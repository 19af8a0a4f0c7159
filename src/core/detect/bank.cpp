#include <exeat/detect/bank.hpp>

#include <exeat/enum_array.hpp>
#include <exeat/limits.hpp>

#include "state_bytes.hpp"

#include <algorithm>
#include <cmath>

namespace exeat::detect {

namespace {

constexpr moment quiet{3'600};
constexpr double half_life = 3'600;                           // of a score, in seconds
constexpr enum_array<severity, double, 3> weights{5, 20, 50}; // by severity

double faded(double score, moment passed) noexcept { return score * std::exp2(-static_cast<double>(passed.count()) / half_life); }

} // namespace

detector_bank::detector_bank(std::uint64_t seed, const thresholds& than)
    : than_{than}, drip_{limits::detect_clients, seed, than_}, direction_{limits::detect_entries, seed, than_},
      host_history_{limits::detect_clients, seed, than_}, denials_{limits::detect_entries, seed, than_}, names_{limits::detect_entries,
                                                                                                                seed, than_},
      chunks_{limits::detect_entries, seed, than_}, clients_{limits::detect_clients, {seed}}, long_tunnels_{limits::detect_entries, {seed}}
{}

void detector_bank::see(const flow_event& e, findings& out)
{
    const auto before = out.size();
    budget(e, out);
    long_tunnel(e, out);
    drip_.see(e, out);
    direction_.see(e, out);
    host_history_.see(e, out);
    denials_.see(e, out);
    names_.see(e, out);
    chunks_.see(e, out);
    for (auto i = before; i < out.size(); ++i) remember(out[i], e.at);
}

void detector_bank::pass_on(const heirs_of<std::uint64_t>& entries)
{
    const entry_heirs to{entries};
    drip_.pass_on(to);
    names_.pass_on(to);
    chunks_.pass_on(to);
}

// D1 and D2: the budgets enforce them before each write; this only reports them.
void detector_bank::budget(const flow_event& e, findings& out)
{
    const bool over = e.over_budget || (e.step == flow_step::deny && e.verdict == verdict::budget);
    if (!over) return;
    auto& r = clients_.use({e.client, 0});
    const bool pull = e.purpose == purpose::pull;
    if ((pull ? r.told_pull : r.told_budget).may(e.at, quiet))
        out.push_back({pull ? detector::pull_upload : detector::upload_budget, e.client, e.entry, static_cast<double>(e.tunnel_up), 0});
}

// D7. A tunnel that stays open for hours is a channel; every purpose but pull may have a reason for it.
void detector_bank::long_tunnel(const flow_event& e, findings& out)
{
    const bool old = e.step == flow_step::progress && e.purpose == purpose::pull && e.age >= moment{than_.long_tunnel_seconds};
    if (!old) return;
    auto& told = long_tunnels_.use({e.client, e.id});
    if (!told)
        out.push_back(
            {detector::long_tunnel, e.client, e.entry, static_cast<double>(e.age.count()), static_cast<double>(than_.long_tunnel_seconds)});
    told = true;
}

void detector_bank::remember(const finding& f, moment now)
{
    auto& r = clients_.use({f.client, 0});
    r.score = faded(r.score, now - r.at) + weights[about(f.which).how];
    r.at = now;
}

double detector_bank::score(const ip_address& client, moment now) const
{
    const auto* r = clients_.look({client, 0});
    return r == nullptr ? 0 : faded(r->score, std::max(now - r->at, moment{0}));
}

template <class Archive> void detector_bank::part(std::size_t n, Archive& a)
{
    switch (n) {
    case 0: return a(drip_);
    case 1: return a(direction_);
    case 2: return a(host_history_);
    case 3: return a(denials_);
    case 4: return a(names_);
    case 5: return a(chunks_);
    default: return a(clients_);
    }
}

void detector_bank::write(std::size_t n, std::string& to)
{
    state_writer out{to};
    part(n, out);
}

bool detector_bank::read(std::string_view from, moment back)
{
    state_reader in{from, back};
    for (std::size_t n = 0; n < parts; ++n) part(n, in);
    return in.whole();
}

std::array<detector_bank::table, 7> detector_bank::tables() const
{
    const auto of = [](std::string_view name, const auto& t) { return table{name, t.size(), t.capacity(), t.evicted()}; };
    return {of("drip", drip_.buckets()),
            of("direction", direction_.clients()),
            of("hosts", host_history_.hosts()),
            of("denials", denials_.clients()),
            of("names", names_.entries()),
            of("chunks", chunks_.entries()),
            of("scores", clients_)};
}

} // namespace exeat::detect
