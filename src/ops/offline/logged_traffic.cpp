#include <ops/offline/logged_traffic.hpp>

#include <exeat/limits.hpp>

#include <algorithm>

namespace exeat::ops {

using what = logged_event::what;

void logged_traffic::take(const logged_event& e)
{
    if (e.at >= since_) {
        first_ = std::min(first_.value_or(e.at), e.at);
        last_ = std::max(last_.value_or(e.at), e.at);
    }
    if (e.action == what::process) return;
    if (e.action == what::deny) return deny(e);
    const key k{e.id, e.source, e.source_port};
    const auto known = open_.find(k);
    if (known == open_.end() && e.action == what::close) {
        tunnel brief;
        return follow(brief, e);
    }
    if (known == open_.end() && open_.size() >= limits::logged_tunnels) {
        ++untracked_;
        tunnel brief;
        return follow(brief, e);
    }
    follow(known == open_.end() ? open_[k] : known->second, e);
    if (e.action == what::close) open_.erase(k);
}

// A tunnel that was opened may still be refused for its content: that is not a second request.
void logged_traffic::deny(const logged_event& e)
{
    if (e.at < since_ || open_.contains({e.id, e.source, e.source_port})) return;
    begin(e);
}

void logged_traffic::follow(tunnel& t, const logged_event& e)
{
    const auto up = e.upload - std::min(t.upload, e.upload), down = e.download - std::min(t.download, e.download);
    t.upload = std::max(t.upload, e.upload);
    t.download = std::max(t.download, e.download);
    if (e.at < since_) return;
    if (!t.request) t.request = begin(e);
    if (up > 0 || down > 0) to_.moved(*t.request, e, up, down);
}

std::size_t logged_traffic::begin(const logged_event& e)
{
    requests_ += e.stands_for;
    return to_.request(e);
}

} // namespace exeat::ops
