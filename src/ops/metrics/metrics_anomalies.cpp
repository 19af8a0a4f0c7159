#include <exeat/limits.hpp>
#include <ops/metrics/metric_families.hpp>

#include <algorithm>
#include <map>
#include <string>

namespace exeat::ops {

namespace {

std::string word(std::string_view w) { return std::string{w}; }

// Fill levels of the detectors' tables: they show when a client floods a table so that its own history is evicted.
void collect_tables(families& all, const metric_sources& from)
{
    auto& entries = new_gauge(all, "detector_entries", "Keys in a bounded table.");
    auto& capacity = new_gauge(all, "detector_capacity", "How many keys the table can hold.");
    auto& evictions = new_counter(all, "detector_evictions_total", "Idle keys that made room for others.");
    const auto table = [&](std::string_view name, std::size_t held, std::size_t most, std::uint64_t gone) {
        const metric_labels label{{"table", word(name)}};
        add(entries, std::uint64_t{held}, label);
        add(capacity, std::uint64_t{most}, label);
        add(evictions, gone, label);
    };
    auto& book = from.uploads.book();
    table("upload_budgets", book.size(), limits::budget_accounts, book.evicted());
    for (const auto& t : from.watch.tables()) table(t.name, t.entries, t.capacity, t.evictions);
}

// By client and entry, so that an alert can name both; the latest finding for each key.
void collect_recent(families& all, const metric_sources& from, const client_names& names)
{
    auto& gauge =
        new_gauge(all, "finding_timestamp_seconds", "When a detector last found something, by client and entry; of the last 50 findings.");
    std::map<std::array<std::string, 4>, double> last;
    for (const auto& e : from.watch.recent()) {
        const auto& facts = detect::about(e.what.which);
        const auto entry = e.what.entry.id == 0 ? std::string{} : from.labels.rule_name(e.what.entry.slot, e.what.entry.id);
        auto& at = last[{names.of(e.what.client), entry, word(facts.name), word(detect::severity_words[facts.how])}];
        at = std::max(at, std::chrono::duration<double>{e.at.time_since_epoch()}.count());
    }
    for (const auto& [key, at] : last) add(gauge, at, {{"client", key[0]}, {"entry", key[1]}, {"detector", key[2]}, {"severity", key[3]}});
}

} // namespace

void collect_findings(families& all, const metric_sources& from, const client_series& clients)
{
    collect_recent(all, from, {from, clients.named()});
}

void collect_anomalies(families& all, const metric_sources& from)
{
    auto& found = new_counter(all, "anomalies_total", "What the detectors found, by what it leads to; each is a line in the audit log.");
    for (std::size_t d = 0; d < detect::detectors; ++d)
        for (std::size_t a = 0; a < detector_action_words.size(); ++a)
            add(found, from.watch.found(static_cast<detect::detector>(d), static_cast<detector_action>(a)),
                {{"detector", word(detect::facts[d].name)},
                 {"severity", word(detect::severity_words[detect::facts[d].how])},
                 {"action", word(detector_action_words[a])}});
    collect_tables(all, from);
}

} // namespace exeat::ops
