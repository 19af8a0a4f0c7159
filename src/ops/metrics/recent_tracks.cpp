#include <ops/metrics/recent_tracks.hpp>

#include <algorithm>
#include <utility>

namespace exeat::ops {

void recent_tracks::note(std::string_view name, std::uint64_t total)
{
    const auto known = totals_.find(name);
    auto& before = known != totals_.end() ? known->second : totals_.emplace(name, last{}).first->second;
    const auto fresh = total >= before.total ? total - before.total : total;
    before = {total, true};
    if (fresh == 0) return;
    all_[now_] += fresh;
    if (!name.empty()) add(name, fresh);
}

void recent_tracks::add(std::string_view name, std::uint64_t n)
{
    auto at = lines_.find(name);
    if (at == lines_.end() && lines_.size() == limits::history_tracks) {
        const auto smallest = std::min_element(lines_.begin(), lines_.end(), [](auto& a, auto& b) { return a.second.sum < b.second.sum; });
        if (smallest->second.sum >= n) return; // counts only in the sum of all
        lines_.erase(smallest);
    }
    if (at == lines_.end()) at = lines_.emplace(name, line{}).first;
    at->second.sum += n;
    at->second.each[now_] += n;
}

void recent_tracks::next()
{
    std::erase_if(totals_, [](const auto& t) { return !t.second.noted; });
    for (auto& [name, total] : totals_) total.noted = false;
    now_ = (now_ + 1) % limits::history_steps;
    all_[now_] = 0;
    for (auto& [name, l] : lines_) l.sum -= std::exchange(l.each[now_], 0);
    std::erase_if(lines_, [](const auto& l) { return l.second.sum == 0; });
}

recent_tracks::steps recent_tracks::unrolled(const steps& ring) const noexcept
{
    auto out = ring;
    std::rotate(out.begin(), out.begin() + static_cast<std::ptrdiff_t>((now_ + 1) % limits::history_steps), out.end());
    return out;
}

std::vector<recent_tracks::track> recent_tracks::largest(std::size_t most) const
{
    std::vector<const std::pair<const std::string, line>*> ranked;
    for (const auto& l : lines_) ranked.push_back(&l);
    const auto shown = std::min(most, ranked.size());
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(shown), ranked.end(),
                      [](auto* a, auto* b) { return a->second.sum > b->second.sum; });
    std::vector<track> out;
    track rest{{}, 0, all()};
    for (std::size_t i = 0; i < shown; ++i) {
        out.push_back({ranked[i]->first, ranked[i]->second.sum, unrolled(ranked[i]->second.each)});
        for (std::size_t s = 0; s < rest.each.size(); ++s) rest.each[s] -= out.back().each[s];
    }
    for (const auto n : rest.each) rest.sum += n;
    if (rest.sum > 0) out.push_back(rest);
    return out;
}

} // namespace exeat::ops
