#include <exeat/limits.hpp>
#include <ops/metrics/metric_families.hpp>

#include <string>

namespace exeat::ops {

namespace {

std::string word(std::string_view w) { return std::string{w}; }

// How full the detectors' memories are: who floods them to be forgotten is seen here.
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

} // namespace

void collect_anomalies(families& all, const metric_sources& from)
{
    auto& found = new_counter(all, "anomalies_total", "What the detectors found, by what it leads to; each is a line in the audit log.");
    for (std::size_t d = 0; d < detect::detectors; ++d)
        for (std::size_t a = 0; a < detector_action_words.size(); ++a)
            add(found, from.watch.found(static_cast<detect::detector>(d), static_cast<detector_action>(a)),
                {{"detector", word(detect::facts[d].name)},
                 {"severity", word(detect::severity_words[static_cast<std::size_t>(detect::facts[d].how)])},
                 {"action", word(detector_action_words[a])}});
    collect_tables(all, from);
}

} // namespace exeat::ops
