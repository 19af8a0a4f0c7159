#include <ops/state/name_ledger.hpp>

#include <net/random_seed.hpp>
#include <net/upload/upload_permit.hpp>
#include <net/wall_clock.hpp>
#include <ops/state/name_snapshot.hpp>

#include <algorithm>
#include <utility>

namespace exeat::ops {

namespace {

constexpr state_file::words told{"names", "the wildcard names' snapshot", "each of the two counts for itself",
                                 "after a crash they would count as half used"};

// The age, at least 0 even if the clock was set back.
std::chrono::minutes age_of(wall_time then, wall_time now)
{
    return std::chrono::floor<std::chrono::minutes>(std::max(now - then, std::chrono::seconds{0}));
}

} // namespace

name_ledger::name_ledger(const state_directory& directory, const event_log& log, bool accounts_known)
    : log_{log}, file_{directory, told, log}
{
    names_ = read(log, accounts_known, directory.init.has_value());
    journal_ = std::make_unique<name_journal>(journal_path());
    names_->on_counted([this](const name_budget::counted& c) { journal_->append(c, net::wall_now()); });
    file_.claim([this](bool clean) {
        begin_journal();
        return encode({net::wall_now(), clean, names_->written(net::budget_now())});
    });
    begin_journal(); // the snapshot contains the previous process's journal
}

std::string name_ledger::journal_path() const { return file_.path().empty() ? std::string{} : file_.path() + ".journal"; }

void name_ledger::begin_journal()
{
    const auto saves = file_.saves();
    const auto failed = journal_->begin(saves > std::exchange(saves_, saves));
    if (failed && !std::exchange(told_, true))
        log_.say(severity::warning, "the journal of wildcard names cannot be written; after a crash half would count as used",
                 {{"file", journal_path()}, {"why", failed.message()}});
}

std::unique_ptr<name_budget> name_ledger::read(const event_log& log, bool accounts_known, bool knows_all) const
{
    const auto now = net::budget_now();
    const auto anew = [now](bool forgot) { return std::make_unique<name_budget>(net::random_seed(), now, forgot); };
    if (!file_.is_there()) return anew(!knows_all);
    const auto bytes = file_.read(limits::name_snapshot_bytes);
    const auto found = bytes ? decode_names(*bytes) : std::nullopt;
    if (!found) {
        log.say(severity::warning, "the wildcard names' snapshot cannot be read, so half of each budget of names counts as used",
                {{"file", file_.path()}, {"why", bytes ? "it is damaged" : bytes.error()}});
        return anew(true);
    }
    const auto age = age_of(found->saved_at, net::wall_now());
    const bool nobodys = found->knows_accounts && !accounts_known;
    const auto journal = found->clean ? std::optional{std::vector<journalled_name>{}} : read_names_journal(journal_path());
    const bool forgot = nobodys || found->lost || !journal || file_.lacks_the_end(found->clean, found->saved_at, net::wall_now());
    auto out = std::make_unique<name_budget>(found->budgets, age, now, forgot);
    for (const auto& n : journal.value_or(std::vector<journalled_name>{})) out->count_again(n.what, age_of(n.at, net::wall_now()), now);
    return out;
}

} // namespace exeat::ops
