#include <ops/state/name_ledger.hpp>

#include <net/random_seed.hpp>
#include <net/upload/upload_permit.hpp>
#include <net/wall_clock.hpp>
#include <ops/state/name_snapshot.hpp>

#include <algorithm>

namespace exeat::ops {

namespace {

constexpr state_file::words told{"names", "the wildcard names' snapshot", "each of the two counts for itself",
                                 "after a crash they would count as half used"};

// How long ago; never less than nothing, whatever the clock did meanwhile.
std::chrono::minutes age_of(const name_snapshot& s, wall_time now)
{
    return std::chrono::floor<std::chrono::minutes>(std::max(now - s.saved_at, std::chrono::seconds{0}));
}

} // namespace

name_ledger::name_ledger(const state_directory& directory, const event_log& log, bool accounts_known) : file_{directory, told, log}
{
    names_ = read(log, accounts_known, directory.init.has_value());
    file_.claim([this](bool clean) { return encode({net::wall_now(), clean, names_->written(net::budget_now())}); });
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
    const auto age = age_of(*found, net::wall_now());
    const bool nobodys = found->knows_accounts && !accounts_known;
    const bool forgot = nobodys || found->lost || file_.lacks_the_end(found->clean, found->saved_at, net::wall_now());
    return std::make_unique<name_budget>(found->budgets, age, now, forgot);
}

} // namespace exeat::ops
