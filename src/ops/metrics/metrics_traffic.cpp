#include <ops/identity/pod_watch.hpp>
#include <ops/metrics/metric_families.hpp>
#include <ops/metrics/traffic_totals.hpp>

#include <algorithm>
#include <set>

namespace exeat::ops {

namespace {

using net::counter;
using net::counters;

constexpr std::array<const char*, 2> direction_words{"upload", "download"};

std::string word(std::string_view w) { return std::string{w}; }

void by_listener(families& all, const metric_sources& from)
{
    auto& total = new_counter(all, "connections_total", "Accepted connections.");
    auto& active = new_gauge(all, "connections_active", "Connections open now.");
    const auto known = std::min(from.settings.listeners.size(), limits::listeners);
    for (std::size_t i = 0; i < known; ++i) {
        const auto name = from.settings.listeners[i].name();
        add(total, sum(from, [i](const counters& c) -> const counter& { return c.connections[i]; }), {{"listener", name}});
        add(active, sum(from, [i](const counters& c) -> const counter& { return c.connections_active[i]; }), {{"listener", name}});
    }
}

void by_worker(families& all, const metric_sources& from)
{
    auto& active = new_gauge(all, "worker_connections_active", "Connections open now, by worker thread.");
    for (std::size_t w = 0; w < from.workers.size(); ++w) {
        std::uint64_t open = 0;
        for (const auto& cell : from.workers[w]->connections_active) open += cell.read();
        add(active, open, {{"worker", std::to_string(w)}});
    }
}

void by_mode(families& all, const metric_sources& from)
{
    auto& requests = new_counter(all, "requests_total", "Requests decided; a tunnel is one request, plain HTTP is one for each exchange.");
    for (std::size_t m = 0; m < net::request_modes; ++m)
        for (std::size_t allowed = 0; allowed < 2; ++allowed)
            add(requests, sum(from, [=](const counters& c) -> const counter& { return c.requests[m][allowed]; }),
                {{"mode", word(net::request_mode_words[m])}, {"decision", allowed == 1 ? "allowed" : "denied"}});
}

// Group slots for which every reason is shown, even at 0.
std::set<std::size_t> always_shown(const policy_status::view& status)
{
    std::set<std::size_t> slots{label_registry::no_group};
    if (status.rules && status.rules->groups().size() <= limits::denied_groups)
        for (const auto& g : status.rules->groups()) slots.insert(g.slot);
    return slots;
}

void by_reason(families& all, const metric_sources& from)
{
    auto& denied = new_counter(
        all, "denied_total",
        "Refusals. Every reason exists at 0 for the group _none and, where the allowlist has at most 16 groups, for each of them.");
    const auto names = from.labels.groups();
    const auto shown = always_shown(from.policy.now());
    for (std::size_t group = 0; group < std::min(names.size(), limits::group_slots); ++group)
        for (std::size_t v = 1; v < verdicts; ++v) { // 0 is allowed
            const auto n = sum(from, [=](const counters& c) -> const counter& { return c.denied[v][group]; });
            if (n == 0 && !shown.contains(group)) continue;
            add(denied, n, {{"reason", word(to_string(static_cast<verdict>(v)))}, {"group", names[group]}});
        }
}

// Every reason exists at 0 from the start, however many groups there are, so that its first refusal is visible as a rise.
void by_reason_alone(families& all, const metric_sources& from)
{
    auto& denied = new_counter(all, "denied_reasons_total", "Refusals of all groups together. Every reason exists at 0.");
    for (const auto& r : reason_totals(from)) add(denied, r.denied, {{"reason", word(to_string(r.reason))}});
}

void reported(families& all, const metric_sources& from)
{
    auto& passed = new_counter(all, "reported_total",
                               "Requests that passed only because the allowlist is in report mode, by what would have refused them.");
    for (std::size_t v = 1; v < verdicts; ++v)
        if (reportable(static_cast<verdict>(v)))
            add(passed, sum(from, [v](const counters& c) -> const counter& { return c.reported[v]; }),
                {{"reason", word(to_string(static_cast<verdict>(v)))}});
}

// Slots that are shown even at 0: those that the current allowlist can allow, and the shared ones.
std::vector<bool> current_slots(const policy_status::view& status)
{
    std::vector<bool> shown(limits::rule_slots);
    shown[label_registry::other_rule] = shown[label_registry::reported_rule] = true;
    if (!status.rules) return shown;
    for (const auto& r : status.rules->rules())
        if (r.kind != rule_kind::deny && r.slot < shown.size()) shown[r.slot] = true;
    return shown;
}

void add_bytes(prometheus::MetricFamily& bytes, const std::string& client, const client_totals& t)
{
    for (std::size_t p = 0; p < purposes; ++p)
        for (const auto d : {upload, download})
            add(bytes, t.bytes[p][d],
                {{"client", client}, {"direction", direction_words[d]}, {"purpose", word(to_string(static_cast<purpose>(p)))}});
}

} // namespace

void collect_requests(families& all, const metric_sources& from)
{
    by_listener(all, from);
    by_worker(all, from);
    by_mode(all, from);
    by_reason(all, from);
    by_reason_alone(all, from);
    reported(all, from);
    add(new_counter(all, "orig_dst_mismatch_total", "Transparent connections whose name resolved elsewhere than the client had dialled."),
        sum(from, [](const counters& c) -> const counter& { return c.orig_dst_mismatch; }));
    add(new_counter(all, "connect_other_host_total",
                    "CONNECT requests whose Host, which is not believed, named another place than their target."),
        sum(from, [](const counters& c) -> const counter& { return c.other_host; }));
    add(new_counter(all, "silent_connections_total",
                    "Connections, and tunnels for plain HTTP, that ended before their client had sent anything."),
        sum(from, [](const counters& c) -> const counter& { return c.silent; }));
    add(new_counter(all, "upstream_resends_total", "Plain-HTTP requests sent again on a new connection because the kept one had ended."),
        sum(from, [](const counters& c) -> const counter& { return c.sent_again; }));
    auto& over =
        new_counter(all, "client_rate_limited_total",
                    "Connections and requests that were refused with the verdict rate, by the limit that their client had used up.");
    for (std::size_t i = 0; i < client_rate_words.size(); ++i)
        add(over, sum(from, [i](const counters& c) -> const counter& { return c.over_rate[i]; }), {{"limit", word(client_rate_words[i])}});
    add(new_gauge(all, "draining", "1: no more connections are accepted; open tunnels continue until drain_timeout."),
        from.policy.now().draining ? 1.0 : 0.0);
    add(new_counter(all, "accept_pauses_total", "Pauses of accepting because descriptors or memory had run out."),
        sum(from, [](const counters& c) -> const counter& { return c.accept_pauses; }));
    add(new_counter(all, "out_of_memory_total", "Tunnels and look-ups that were given up because memory could not be had."),
        sum(from, [](const counters& c) -> const counter& { return c.out_of_memory; }));
}

void collect_bytes(families& all, const metric_sources& from)
{
    auto& bytes = new_counter(all, "bytes_total",
                              "Payload bytes written to (upload) and read from (download) destinations, live, by allowlist entry.");
    const auto labels = from.labels.rules();
    const auto shown = current_slots(from.policy.now());
    for (std::size_t slot = 0; slot < std::min(labels.size(), shown.size()); ++slot) {
        const std::array<std::uint64_t, 2> n{sum(from, [slot](const counters& c) -> const counter& { return c.rules[slot].upload; }),
                                             sum(from, [slot](const counters& c) -> const counter& { return c.rules[slot].download; })};
        if (n[upload] == 0 && n[download] == 0 && !shown[slot]) continue;
        for (const auto d : {upload, download})
            add(bytes, n[d],
                {{"direction", direction_words[d]}, {"entry", labels[slot].name}, {"purpose", word(to_string(labels[slot].purpose))}});
    }
}

void collect_clients(families& all, const metric_sources& from, const client_series& clients)
{
    auto& bytes = new_counter(all, "client_bytes_total",
                              "Payload bytes by client. At most 200 clients have series of their own; _other is all the rest, _past what "
                              "series that ended had shown (it jumps when one ends, which is no traffic).");
    auto& denied = new_counter(all, "client_denied_total", "Refusals by client, with _other and _past as in exeat_client_bytes_total.");
    auto& cut = new_gauge(all, "client_last_cut_timestamp_seconds",
                          "When a tunnel of the client was last cut by policy; only for clients that were.");
    auto& score = new_gauge(all, "client_anomaly_score", "What detectors found of a client, by severity; it halves each hour.");
    const auto groups = from.labels.groups();
    const auto now = detection::moment_of(std::chrono::system_clock::now());
    for (const auto& [key, s] : clients.named()) {
        const auto name = client_label(groups, key, from.settings.network);
        add(score, from.watch.score(from.pods.names().client_at(key.source), now), {{"client", name}});
        add_bytes(bytes, name, s.shown);
        add(denied, s.shown.denied, {{"client", name}});
        if (s.last_cut != 0) add(cut, s.last_cut, {{"client", name}});
    }
    add_bytes(bytes, "_other", clients.other());
    add_bytes(bytes, "_past", clients.past());
    add(denied, clients.other().denied, {{"client", "_other"}});
    add(denied, clients.past().denied, {{"client", "_past"}});
}

} // namespace exeat::ops
