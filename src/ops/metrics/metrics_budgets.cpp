#include <ops/metrics/metric_families.hpp>
#include <ops/metrics/open_accounts.hpp>

#include <map>

namespace exeat::ops {

namespace {

using net::counter;
using net::counters;

std::string word(std::string_view w) { return std::string{w}; }
std::string purpose_word(std::size_t p) { return word(to_string(static_cast<purpose>(p))); }

using windows_of = std::array<std::optional<per_window<std::uint64_t>>, purposes>; // by purpose

struct client_windows {
    windows_of sent;
    windows_of counted; // against the purpose's budget
};

// What the open accounts hold, by client and by entry.
struct sent_by {
    std::map<ip_address, client_windows> clients;
    std::map<std::string, per_window<std::uint64_t>> entries; // that have a limit over all clients
};

void operator+=(per_window<std::uint64_t>& a, const per_window<std::uint64_t>& b)
{
    for (std::size_t w = 0; w < budget_windows; ++w) a[w] += b[w];
}

sent_by look_into(budget_book& book, const policy_status::view& status)
{
    sent_by out;
    each_open_account(book, status, [&](const open_account& a) {
        if (!a.client) {
            out.entries.emplace(a.account, a.now.sent);
            return;
        }
        auto& mine = out.clients[*a.client];
        const auto p = static_cast<std::size_t>(a.purpose);
        if (!mine.sent[p]) mine.sent[p].emplace();
        *mine.sent[p] += a.now.sent;
        if (a.entry == nullptr) mine.counted[p] = a.now.counted;
    });
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
            for (std::size_t w = 0; windows[p] && w < budget_windows; ++w)
                add(gauge, (*windows[p])[w],
                    {{"client", client_label(groups, key, from.settings.network)},
                     {"purpose", purpose_word(p)},
                     {"window", word(budget_window_words[w])}});
    }
}

void by_entry(families& all, const sent_by& sent)
{
    auto& windows = new_gauge(all, "entry_upload_window_bytes",
                              "Uploaded within the window by all clients together; of the entries that have upload_total.");
    for (const auto& [entry, bytes] : sent.entries)
        for (std::size_t w = 0; w < budget_windows; ++w)
            add(windows, bytes[w], {{"entry", entry}, {"window", word(budget_window_words[w])}});
}

void thresholds(families& all)
{
    auto& budgets = new_gauge(all, "upload_budget_bytes",
                              "What a client may upload to all entries of a purpose that have no budget of their own; pull: beyond what "
                              "pulling costs.");
    for (std::size_t p = 0; p < purposes; ++p) {
        const auto most = default_upload(static_cast<purpose>(p)).most;
        for (std::size_t w = 0; w < budget_windows; ++w)
            if (most[w] != unlimited) add(budgets, most[w], {{"purpose", purpose_word(p)}, {"window", word(budget_window_words[w])}});
    }
}

void exceeded(families& all, const metric_sources& from)
{
    auto& over = new_counter(all, "budget_exceeded_total", "Tunnels that reached the end of an upload budget, by what was done.");
    for (std::size_t p = 0; p < purposes; ++p)
        for (std::size_t a = 0; a <= budget_actions; ++a)
            add(over, sum(from, [=](const counters& c) -> const counter& { return c.over_budget[p][a]; }),
                {{"purpose", purpose_word(p)}, {"action", a < budget_actions ? word(budget_action_words[a]) : "report"}});
}

} // namespace

void collect_budgets(families& all, const metric_sources& from, const client_series& clients)
{
    exceeded(all, from);
    thresholds(all);
    const auto sent = look_into(from.uploads.book(), from.policy.now());
    by_client(new_gauge(all, "client_upload_window_bytes",
                        "Uploaded by a client within the window, to the byte; of the clients that have series of their own."),
              from, clients, sent, &client_windows::sent);
    by_client(new_gauge(all, "client_upload_counted_bytes",
                        "Of these, what counts against upload_budget_bytes: not what pulling costs, nor what went to entries with a budget "
                        "of their own."),
              from, clients, sent, &client_windows::counted);
    by_entry(all, sent);
    add(new_counter(all, "detector_crowded_total", "Times that a key found no room, and shared what is left for all such."),
        from.uploads.book().crowded(), {{"table", "upload_budgets"}});
    add(new_gauge(all, "clock_step_seconds", "By how much the machine's clock shows another time than it should; 0: it goes as it did."),
        static_cast<double>(from.clock.now));
    add(new_counter(all, "clock_steps_total", "How often the machine's clock was set to another time."),
        static_cast<double>(from.clock.all));
    add(new_gauge(all, "upload_snapshot_timestamp_seconds", "When the upload accounts were last written to disk; 0: never."),
        from.uploads.saved_at());
}

} // namespace exeat::ops
