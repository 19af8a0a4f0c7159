#include <ops/identity/pod_watch.hpp>
#include <ops/metrics/metric_families.hpp>
#include <ops/metrics/open_accounts.hpp>

#include <algorithm>
#include <map>
#include <tuple>

namespace exeat::ops {

namespace {

using net::counter;
using net::counters;

std::string word(std::string_view w) { return std::string{w}; }
std::string purpose_word(std::size_t p) { return word(to_string(static_cast<purpose>(p))); }

using windows_of = std::array<std::optional<per_window<std::uint64_t>>, purposes>; // by purpose

struct client_windows {
    windows_of sent;
    windows_of counted; // what counts against the purpose's budget
};

// A client's use of an entry that has its own budget.
struct own_use {
    ip_address client;
    const rule* entry;
    upload_account::view now;
    double share() const noexcept
    {
        double most = 0;
        for (std::size_t w = 0; w < budget_windows; ++w)
            if (now.held_to.most[w] != unlimited && now.held_to.most[w] > 0)
                most = std::max(most, static_cast<double>(now.counted[w]) / static_cast<double>(now.held_to.most[w]));
        return most;
    }
};

// The open accounts, by client and by entry.
struct sent_by {
    std::vector<own_use> own; // the fullest ones
    std::map<ip_address, client_windows> clients;
    std::map<std::string, per_window<std::uint64_t>> entries; // of entries with a limit over all clients
};

void operator+=(per_window<std::uint64_t>& a, const per_window<std::uint64_t>& b)
{
    for (std::size_t w = 0; w < budget_windows; ++w) a[w] += b[w];
}

sent_by look_into(budget_book& book, const policy_status::view& status, const workload_names& workloads)
{
    sent_by out;
    each_open_account(book, status, [&](const open_account& a) {
        if (!a.client) {
            out.entries.emplace(a.account, a.now.sent);
            return;
        }
        const auto p = static_cast<std::size_t>(a.purpose);
        if (a.entry != nullptr) out.own.push_back({*a.client, a.entry, a.now});
        if (workloads.find(*a.client).of_identity) return; // what each of its pods has sent is counted there
        auto& mine = out.clients[workloads.address(*a.client)];
        if (!mine.sent[p]) mine.sent[p].emplace();
        *mine.sent[p] += a.now.sent;
        if (a.entry != nullptr) return;
        if (!mine.counted[p]) mine.counted[p].emplace();
        for (std::size_t w = 0; w < budget_windows; ++w) (*mine.counted[p])[w] = std::max((*mine.counted[p])[w], a.now.counted[w]);
    });
    const auto shown = static_cast<std::ptrdiff_t>(std::min(out.own.size(), limits::budget_series));
    std::partial_sort(out.own.begin(), out.own.begin() + shown, out.own.end(),
                      [](const own_use& a, const own_use& b) { return a.share() > b.share(); });
    out.own.resize(static_cast<std::size_t>(shown));
    return out;
}

void by_client(prometheus::MetricFamily& gauge, const metric_sources& from, const client_series& clients, const sent_by& sent,
               windows_of client_windows::*which)
{
    const auto groups = from.labels.groups();
    for (const auto& [key, s] : clients.named()) {
        const auto found = sent.clients.find(key.source);
        if (found == sent.clients.end()) continue;
        const auto& windows = found->second.*which;
        for (std::size_t p = 0; p < purposes; ++p)
            for (std::size_t w = 0; windows[p] && w < budget_windows; ++w) {
                metric_labels labels{{"client", client_label(groups, key, from.settings.network)},
                                     {"purpose", purpose_word(p)},
                                     {"window", word(budget_window_words[w])}};
                if (which == &client_windows::counted)
                    labels.insert(labels.begin() + 1, prometheus::ClientMetric::Label{"entry", ""}); // of no single entry
                add(gauge, (*windows[p])[w], std::move(labels));
            }
    }
}

// Also by entry: these bytes count against the entry's own budget, not against the purpose's. Several pods that had one address one after
// the other have one name: the one that has used most.
void by_client_at_entry(prometheus::MetricFamily& gauge, const sent_by& sent, const client_names& names)
{
    std::map<std::tuple<std::string, const rule*, std::size_t>, std::uint64_t> all;
    for (const auto& a : sent.own)
        for (std::size_t w = 0; w < budget_windows; ++w) {
            if (a.now.held_to.most[w] == unlimited) continue;
            auto& counted = all[{names.of(a.client), a.entry, w}];
            counted = std::max(counted, a.now.counted[w]);
        }
    for (const auto& [key, counted] : all) {
        const auto& [client, entry, w] = key;
        add(gauge, counted,
            {{"client", client},
             {"entry", entry->name},
             {"purpose", word(to_string(entry->purpose))},
             {"window", word(budget_window_words[w])}});
    }
}

void own_thresholds(prometheus::MetricFamily& gauge, const sent_by& sent, const policy_status::view& status)
{
    std::map<const rule*, const upload_limits*> shown;
    for (const auto& a : sent.own)
        if (a.now.held_to.clients == 1) shown.emplace(a.entry, &a.now.held_to);
    if (status.rules)
        for (const auto& r : status.rules->rules())
            if (r.upload) shown[&r] = &*r.upload;
    for (const auto& [entry, to] : shown)
        for (std::size_t w = 0; w < budget_windows; ++w)
            if (to->most[w] != unlimited)
                add(gauge, to->most[w],
                    {{"entry", entry->name}, {"purpose", word(to_string(entry->purpose))}, {"window", word(budget_window_words[w])}});
}

void thresholds_of_all(families& all, const policy_status::view& status)
{
    auto& budgets = new_gauge(all, "entry_upload_budget_bytes", "What all clients together may upload to an entry: its upload_total.");
    if (!status.rules) return;
    for (const auto& r : status.rules->rules())
        for (std::size_t w = 0; w < budget_windows; ++w)
            if (r.upload_total.most[w] != unlimited)
                add(budgets, r.upload_total.most[w], {{"entry", r.name}, {"window", word(budget_window_words[w])}});
}

void by_entry(families& all, const sent_by& sent)
{
    auto& windows = new_gauge(all, "entry_upload_window_bytes",
                              "Uploaded within the window by all clients together; of the entries that have upload_total.");
    for (const auto& [entry, bytes] : sent.entries)
        for (std::size_t w = 0; w < budget_windows; ++w)
            add(windows, bytes[w], {{"entry", entry}, {"window", word(budget_window_words[w])}});
}

prometheus::MetricFamily& thresholds(families& all)
{
    auto& budgets = new_gauge(all, "upload_budget_bytes",
                              "What a client may upload to all entries of a purpose that have no budget of their own (pull: beyond what "
                              "pulling costs) or, with the label entry, to an entry with its own.");
    for (std::size_t p = 0; p < purposes; ++p) {
        const auto most = default_upload(static_cast<purpose>(p)).most;
        for (std::size_t w = 0; w < budget_windows; ++w)
            if (most[w] != unlimited)
                add(budgets, most[w], {{"entry", ""}, {"purpose", purpose_word(p)}, {"window", word(budget_window_words[w])}});
    }
    return budgets;
}

void exceeded(families& all, const metric_sources& from)
{
    auto& over = new_counter(all, "budget_exceeded_total", "Tunnels that reached the end of an upload budget, by what was done.");
    for (std::size_t p = 0; p < purposes; ++p)
        for (std::size_t a = 0; a <= budget_actions; ++a)
            add(over, sum(from, [=](const counters& c) -> const counter& { return c.over_budget[p][a]; }),
                {{"purpose", purpose_word(p)}, {"action", a < budget_actions ? word(budget_action_words[a]) : "report"}});
}

void half_spent(families& all, const upload_ledger& uploads)
{
    auto& until =
        new_gauge(all, "upload_half_spent_until_timestamp_seconds",
                  "Until then half of every budget of the window counts as spent, as what was sent before is not known; 0: none does.");
    const auto half = uploads.half();
    for (std::size_t w = 0; w < budget_windows; ++w)
        add(until, half.until[w] ? static_cast<double>(half.until[w]->time_since_epoch().count()) : 0.0,
            {{"window", word(budget_window_words[w])}});
}

} // namespace

void collect_budgets(families& all, const metric_sources& from, const client_series& clients)
{
    exceeded(all, from);
    const auto status = from.policy.now();
    const auto sent = look_into(from.uploads.book(), status, from.pods.names());
    own_thresholds(thresholds(all), sent, status);
    by_client(new_gauge(all, "client_upload_window_bytes",
                        "Uploaded by a client within the window, to the byte; of the clients that have series of their own."),
              from, clients, sent, &client_windows::sent);
    auto& counted = new_gauge(all, "client_upload_counted_bytes",
                              "What counts against upload_budget_bytes of the same labels: without entry of a purpose (not what pulling "
                              "costs), with it of an entry with a budget of its own; of these the 2,000 that are fullest.");
    by_client(counted, from, clients, sent, &client_windows::counted);
    by_client_at_entry(counted, sent, {from, clients.named()});
    thresholds_of_all(all, status);
    by_entry(all, sent);
    half_spent(all, from.uploads);
    add(new_counter(all, "detector_crowded_total", "Times that a key found no room, and shared what is left for all such."),
        from.uploads.book().crowded(), {{"table", "upload_budgets"}});
    add(new_gauge(all, "clock_step_seconds", "By how much the machine's clock shows another time than it should; 0: it is right."),
        static_cast<double>(from.clock.now));
    add(new_counter(all, "clock_steps_total", "How often the machine's clock was set to another time."),
        static_cast<double>(from.clock.all));
    add(new_gauge(all, "upload_snapshot_timestamp_seconds", "When the upload accounts were last written to disk; 0: never."),
        from.uploads.saved_at());
}

} // namespace exeat::ops
