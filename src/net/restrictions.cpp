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

namespace {
bool is_of(const ip_address& key, const client& who) noexcept { return key == who.key || (who.pod && key == who.pod->identity); }
} // namespace

bool restrictions::shuts_out(const client& who, std::uint64_t rule_id) const noexcept
{
    return std::any_of(shut_.begin(), shut_.end(),
                       [&](const shut& s) { return is_of(s.client, who) && (s.rule_id == 0 || s.rule_id == rule_id); });
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

bool restrictions::quarantined(const client& who, std::string_view entry) const noexcept
{
    const auto account = who.pod ? std::string_view{who.pod->service_account} : std::string_view{};
    return quarantined_ &&
           std::any_of(quarantined_->begin(), quarantined_->end(), [&](const auto& q) { return q.holds(who.source, entry, account); });
}

throttles_of_tunnel restrictions::throttles_of(const client& who, std::uint64_t rule_id) const noexcept
{
    throttles_of_tunnel out;
    if (!throttled_) return out;
    for (const auto& t : *throttled_)
        if (is_of(t.client, who) && (t.entry == 0 || t.entry == rule_id))
            out[(t.entry == 0 ? 0U : 1U) + (t.client == who.key ? 0U : 2U)] = t.to;
    return out;
}

} // namespace exeat::net
