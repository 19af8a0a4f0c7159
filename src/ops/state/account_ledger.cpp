#include <ops/state/account_ledger.hpp>

#include <exeat/limits.hpp>
#include <net/wall_clock.hpp>
#include <ops/state/account_snapshot.hpp>

namespace exeat::ops {

namespace {

constexpr state_file::words told{"accounts", "which hosts are whose upload budget", "each of the two keeps it for itself",
                                 "after a restart a list that changed meanwhile could begin budgets anew"};

} // namespace

account_ledger::account_ledger(const state_directory& directory, const event_log& log, std::function<std::uint64_t()> saves)
    : saves_{std::move(saves)}, file_{directory, told, log}
{
    read(log);
}

void account_ledger::read(const event_log& log)
{
    if (!file_.is_there()) return;
    const auto bytes = file_.read(limits::snapshot_bytes);
    auto found = bytes ? decode_accounts(*bytes) : std::nullopt;
    if (!found) {
        log.say(severity::warning, "which hosts are whose upload budget cannot be read, so all budgets count as half spent",
                {{"file", file_.path()}, {"why", bytes ? "it is damaged" : bytes.error()}});
        return;
    }
    history_ = account_history{*std::move(found)};
    knows_ = true;
}

account_heirs account_ledger::heirs_under(const policy& rules, const coverage& next) const
{
    return history_.heirs_under(rules, next, net::wall_now());
}

void account_ledger::adopt(coverage next, const std::function<bool(const holding&)>& used, bool saved)
{
    {
        const std::lock_guard hold{mutex_};
        if (next == history_.is().now) return;
        history_.adopt(std::move(next), net::wall_now(), used);
        changed_ = true;
        wait_until_ = saved ? 0 : saves_() + 2; // a save that is running may have begun before the accounts inherited
    }
    if (saved) file_.try_save();
}

void account_ledger::begin()
{
    file_.claim([this](bool) {
        const std::lock_guard hold{mutex_};
        changed_ = false;
        return encode(history_.is());
    });
    file_.begin(limits::snapshot_interval, [this] {
        const std::lock_guard hold{mutex_};
        return changed_ && saves_() >= wait_until_;
    });
}

} // namespace exeat::ops
