#include <ops/state/upload_ledger.hpp>

#include <net/random_seed.hpp>
#include <net/upload/upload_permit.hpp>
#include <net/wall_clock.hpp>
#include <ops/files/file_source.hpp>
#include <ops/state/upload_snapshot.hpp>
#include <ops/text/utc.hpp>

namespace exeat::ops {

namespace {

// The age, at least 0 even if the clock was set back.
std::chrono::minutes age_of(wall_time then, wall_time now)
{
    return std::chrono::floor<std::chrono::minutes>(std::max(now - then, std::chrono::seconds{0}));
}

constexpr state_file::words told{"uploads", "the upload budgets' snapshot", "each of the two counts for itself",
                                 "after a crash they would count as half spent"};

} // namespace

upload_ledger::upload_ledger(const state_directory& directory, const event_log& log, std::uint8_t client_prefix, bool accounts_known)
    : log_{log}, file_{directory, told, log}
{
    read(client_prefix, accounts_known, directory.init.has_value());
    say_half_spent();
    file_.claim(
        [this](bool clean) {
            auto s = snapshot_of(*book_, net::budget_now(), clean);
            s.saved_at = net::wall_now();
            s.certain = net::wall_certain();
            s.knows_accounts = true;
            s.run = tally_.run();
            tally_.alive(net::wall_now());
            return encode(s);
        },
        [this] {
            take_time_left_by_another();
            attach();
        });
    if (file_.keeps()) attach(); // after the first snapshot, which contains the previous tally
}

void upload_ledger::attach()
{
    if (const auto failed = tally_.attach(tally_path()))
        log_.say(severity::warning, "the tally of uploads cannot be written; after a crash the budgets would count as half spent",
                 {{"file", tally_path()}, {"why", failed.message()}});
}

void upload_ledger::begin_anew(budget_minutes now, std::optional<budget_minutes> forgot)
{
    book_ = std::make_unique<budget_book>(net::random_seed(), now, forgot, &tally_.tally());
}

void upload_ledger::begin_half_spent(budget_minutes now, std::string why)
{
    begin_anew(now, now);
    why_half_ = std::move(why);
}

void upload_ledger::read(std::uint8_t client_prefix, bool accounts_known, bool knows_all)
{
    const auto now = net::budget_now();
    if (!file_.is_there() && knows_all) {
        begin_anew(now, std::nullopt);
        return;
    }
    if (!file_.is_there())
        return begin_half_spent(now, file_.path().empty() ? "without 'state' nothing is known of what was sent before this start"
                                                          : "there is no " + file_.path() + ", which says what was sent before");
    const auto bytes = file_.read(limits::snapshot_bytes);
    auto found = bytes ? decode_uploads(*bytes) : std::nullopt;
    if (!found) {
        log_.say(severity::warning, "the upload budgets' snapshot cannot be read, so all count as half spent",
                 {{"file", file_.path()}, {"why", bytes ? "it is damaged" : bytes.error()}});
        return begin_half_spent(now, file_.path() + " could not be read");
    }
    const auto tally = left();
    const bool whole = found->clean || (tally && add_tally(*found, *tally));
    join_clients(*found, client_prefix);
    take_time_of(*found);
    const auto saved_at = std::max(now - age_of(found->saved_at, net::wall_now()), budget_minutes{0});
    const bool nobodys = found->knows_accounts && !accounts_known;
    const bool lacks = nobodys || !whole || file_.lacks_the_end(found->clean, found->saved_at, net::wall_now());
    auto forgot = lacks ? std::optional{now} : std::nullopt;
    if (lacks)
        why_half_ = nobodys ? "whose the hosts were before this start is not known"
                            : file_.path() + " does not say what was sent last: a crash left it, or it was put back";
    if (!forgot && found->forgot) {
        forgot = saved_at - *found->forgot;
        why_half_ = "an earlier start did not know what was sent before it";
    }
    begin_anew(now, forgot);
    const auto until = tally ? std::clamp(now - age_of(tally->alive, net::wall_now()), saved_at, now) : saved_at;
    for (const auto& a : found->accounts) book_->restore(a.key, a.sums, saved_at, {a.more, until}, now);
}

std::string upload_ledger::tally_path() const { return file_.path() + ".tally"; }

std::optional<left_tally> upload_ledger::left() const
{
    const auto bytes = read_whole(tally_path(), tally_bytes());
    return bytes ? read_tally(*bytes) : std::nullopt;
}

upload_ledger::half_spent upload_ledger::half() const
{
    constexpr per_window<int> hours{1, 24, 168};
    half_spent out;
    const auto forgot = book_->forgot();
    if (!forgot) return out;
    const auto now = net::budget_now();
    for (std::size_t w = 0; w < budget_windows; ++w)
        if (const auto end = *forgot + std::chrono::hours{hours[w]}; end > now) out.until[w] = net::wall_now() + (end - now);
    if (out.any()) out.why = why_half_;
    return out;
}

void upload_ledger::say_half_spent() const
{
    const auto half = this->half();
    if (!half.any()) return;
    std::string text;
    for (std::size_t w = 0; w < budget_windows; ++w)
        if (half.until[w]) text += (text.empty() ? "" : ", ") + std::string{budget_window_words[w]} + " until " + utc(*half.until[w]);
    log_.say(severity::notice, "half of every upload budget counts as spent",
             {{"windows", text},
              {"why", half.why},
              {"what to do", file_.path().empty() ? "name 'state' in [policy], so that budgets outlive a restart"
                                                  : "nothing, or before the first start of a new installation: exeat state init"}});
}

// The certain time only rises: our snapshot must not contain an earlier one than the process before this one has written at its end.
void upload_ledger::take_time_left_by_another() const
{
    if (!file_.is_there()) return;
    const auto bytes = file_.read(limits::snapshot_bytes);
    const auto found = bytes ? decode_uploads(*bytes) : std::nullopt;
    if (found && found->certain) net::wall_has_been(*found->certain);
}

// What had expired before the restart stays expired, even if the clock was changed meanwhile.
void upload_ledger::take_time_of(const upload_snapshot& s)
{
    if (!s.certain) return;
    if (*s.certain > net::wall_now() + limits::clock_grace)
        log_.say(severity::warning,
                 "the clock is behind the last run; until it catches up, expiry uses the last run's time. If the clock was wrong then, "
                 "remove the file and start again",
                 {{"last run", utc(*s.certain)}, {"file", file_.path()}});
    net::wall_has_been(*s.certain);
}

} // namespace exeat::ops
