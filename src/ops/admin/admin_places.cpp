#include <ops/admin/admin_places.hpp>

#include <algorithm>
#include <utility>

namespace exeat::ops {

admin_places::place::place(admin_places& home, const ip_address& peer, std::function<void()> close)
    : home_{home}, at_{home.guests_.insert(home.guests_.end(), guest{peer, std::move(close)})}
{}

void admin_places::place::waits() noexcept
{
    at_->waiting = true;
    home_.guests_.splice(home_.guests_.end(), home_.guests_, at_);
}

std::size_t admin_places::held() const noexcept
{
    return static_cast<std::size_t>(std::count_if(guests_.begin(), guests_.end(), [](const guest& g) { return !g.sent_off; }));
}

std::size_t admin_places::held_by(const ip_address& peer) const noexcept
{
    return static_cast<std::size_t>(
        std::count_if(guests_.begin(), guests_.end(), [&](const guest& g) { return !g.sent_off && g.peer == peer; }));
}

bool admin_places::make_room(const ip_address& peer)
{
    const auto all = held(), his = held_by(peer);
    if (all < most_ && his < most_ - all) return true;
    return send_off(peer, all < most_);
}

// Closes the longest-waiting connection of the peer that holds the most places, but never one of a peer that holds fewer than `peer`.
bool admin_places::send_off(const ip_address& peer, bool only_his)
{
    auto least = held_by(peer);
    guest* chosen = nullptr;
    for (auto& g : guests_) {
        if (g.sent_off || !g.waiting || (only_his && g.peer != peer)) continue;
        const auto holds = held_by(g.peer);
        if (chosen == nullptr ? holds >= least : holds > least) chosen = &g, least = holds;
    }
    if (chosen == nullptr) return false;
    chosen->sent_off = true;
    chosen->close();
    return true;
}

void admin_places::close_all()
{
    for (auto& g : guests_) g.close();
}

} // namespace exeat::ops
