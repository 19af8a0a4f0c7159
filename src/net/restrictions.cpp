#include <net/restrictions.hpp>

#include <algorithm>
#include <array>

namespace exeat::net {

void restrictions::shut_out(const ip_address& client, std::uint64_t rule_id, moment until) noexcept
{
    for (auto& s : shut_)
        if (s.client == client && s.rule_id == rule_id) {
            s.until = std::max(s.until, until);
            return;
        }
    if (shut_.size() == limits::shut_outs)
        shut_.erase(std::min_element(shut_.begin(), shut_.end(), [](const shut& a, const shut& b) { return a.until < b.until; }));
    shut_.push_back({client, rule_id, until});
}

bool restrictions::shuts_out(const ip_address& client, std::uint64_t rule_id) const noexcept
{
    return std::any_of(shut_.begin(), shut_.end(),
                       [&](const shut& s) { return s.client == client && (s.rule_id == 0 || s.rule_id == rule_id); });
}

void restrictions::pass_on(const heirs_of<std::uint64_t>& entries) noexcept
{
    std::array<shut, limits::shut_outs> before;
    const auto end = std::copy(shut_.begin(), shut_.end(), before.begin());
    for (auto s = before.begin(); s != end; ++s)
        entries.each(s->rule_id, s->client, [&](std::uint64_t to) { shut_out(s->client, to, s->until); });
}

void restrictions::forget_before(moment now) noexcept
{
    std::erase_if(shut_, [now](const shut& s) { return s.until <= now; });
}

bool restrictions::quarantined(const ip_address& source, std::string_view entry) const noexcept
{
    return quarantined_ && std::any_of(quarantined_->begin(), quarantined_->end(), [&](const auto& q) { return q.holds(source, entry); });
}

throttles_of_tunnel restrictions::throttles_of(const ip_address& client, std::uint64_t rule_id) const noexcept
{
    throttles_of_tunnel out;
    if (!throttled_) return out;
    for (const auto& t : *throttled_)
        if (t.client == client && (t.entry == 0 || t.entry == rule_id)) out[t.entry == 0 ? 0 : 1] = t.to;
    return out;
}

} // namespace exeat::net
