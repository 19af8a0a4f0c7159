#include <net/tunnel_list.hpp>

#include <net/worker.hpp>

#include <algorithm>
#include <memory>

namespace exeat::net {

namespace {

struct walk {
    tunnel_list found;
    std::function<void(tunnel_list)> done;
    deadlines::slot next = 0;
};

// A tunnel that opens or moves behind the current position is not missed for long: the list is read again and again.
void go_on(worker& home, const std::shared_ptr<walk>& w)
{
    const auto& due = home.open_now();
    const auto end = std::min<std::size_t>(due.size(), w->next + limits::listed_a_turn);
    for (; w->next < end; ++w->next)
        if (const auto* bill = due.at(w->next).bill) bill->show_to(w->found);
    if (w->next < due.size()) return home.post([&home, w] { go_on(home, w); });
    w->done(std::move(w->found));
}

} // namespace

bool tunnel_list::before(const listed_tunnel& a, const listed_tunnel& b) const noexcept
{
    const auto less = [&](const auto& x, const auto& y) { return x != y ? x < y : a.id < b.id; };
    switch (question_.by) {
    case tunnel_order::upload: return less(b.upload, a.upload);
    case tunnel_order::download: return less(b.download, a.download);
    case tunnel_order::age: return less(a.opened, b.opened);
    case tunnel_order::client: return less(a.client, b.client);
    case tunnel_order::entry: return less(a.rule_slot, b.rule_slot);
    }
    return false;
}

bool tunnel_list::wants(const listed_tunnel& t)
{
    ++total_;
    if (question_.client && !question_.client->contains(t.client)) return false;
    if (question_.at && std::find(question_.at->begin(), question_.at->end(), t.rule_slot) == question_.at->end()) return false;
    ++matching_;
    return rows_.size() < question_.most || before(t, rows_.front());
}

void tunnel_list::add(listed_tunnel t)
{
    if (rows_.size() == question_.most) {
        std::pop_heap(rows_.begin(), rows_.end(), by_order());
        rows_.pop_back();
    }
    rows_.push_back(std::move(t));
    std::push_heap(rows_.begin(), rows_.end(), by_order());
}

void tunnel_list::merge(tunnel_list&& other)
{
    for (auto& t : other.rows_)
        if (rows_.size() < question_.most || before(t, rows_.front())) add(std::move(t));
    total_ += other.total_;
    matching_ += other.matching_;
}

std::vector<listed_tunnel> tunnel_list::in_order() &&
{
    std::sort_heap(rows_.begin(), rows_.end(), by_order());
    return std::move(rows_);
}

void list_tunnels(worker& home, tunnel_question q, std::function<void(tunnel_list)> done)
{
    auto w = std::make_shared<walk>(walk{tunnel_list{std::move(q)}, std::move(done)});
    home.post([&home, w] { go_on(home, w); });
}

} // namespace exeat::net
