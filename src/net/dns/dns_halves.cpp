#include <net/dns/dns_halves.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <cassert>
#include <new>

namespace exeat::net {

namespace {

bool has_addresses(const std::optional<dns_answer>& half) noexcept { return half && !half->failed; }

dns_result result_of(const std::optional<dns_answer>& half) noexcept { return half ? half->result : dns_result::timed_out; }

// Some servers answer "no such name" for a name that has no address of one family.
bool nothing_there(dns_result r) noexcept { return r == dns_result::no_data || r == dns_result::no_such_name; }

// The more informative of two failures: that one family has no address says nothing of the other.
dns_result why(dns_result a, dns_result aaaa) noexcept
{
    if (a == dns_result::too_many || aaaa == dns_result::too_many) return dns_result::too_many;
    if (nothing_there(a) && nothing_there(aaaa)) return a == aaaa ? a : dns_result::no_data;
    return nothing_there(a) ? aaaa : a;
}

} // namespace

void dns_halves::take(dns_half which, dns_answer a, moment now) noexcept
{
    auto& half = halves_[which];
    assert(!half);
    half = std::move(a);
    last_came_ = now;
}

bool dns_halves::complete() const noexcept
{
    const auto &a = half(dns_half::a), &aaaa = half(dns_half::aaaa);
    return (a && aaaa) || result_of(a) == dns_result::too_many || result_of(aaaa) == dns_result::too_many;
}

std::optional<dns_halves::moment> dns_halves::usable_alone() const noexcept
{
    const bool any = std::any_of(halves_.begin(), halves_.end(), has_addresses);
    if (!any || complete()) return std::nullopt;
    return last_came_ + resolution_delay;
}

dns_answer dns_halves::joined() const noexcept
{
    try {
        return join();
    } catch (const std::bad_alloc&) {
        return failed_answer(dns_result::failed);
    }
}

dns_answer dns_halves::join() const
{
    const auto result = why(result_of(half(dns_half::a)), result_of(half(dns_half::aaaa)));
    if (result == dns_result::too_many) return failed_answer(result);
    dns_answer all;
    all.ttl = limits::dns_ttl_ceiling;
    for (const auto& h : halves_) {
        if (!has_addresses(h)) continue;
        if (all.addresses.size() + h->addresses.size() > limits::dns_addresses) return failed_answer(dns_result::too_many);
        all.addresses.insert(all.addresses.end(), h->addresses.begin(), h->addresses.end());
        all.ttl = std::min(all.ttl, h->ttl);
    }
    if (all.addresses.empty()) return failed_answer(result);
    const auto whole = [](const auto& h) { return result_of(h) == dns_result::answered || nothing_there(result_of(h)); };
    all.result = std::all_of(halves_.begin(), halves_.end(), whole) ? dns_result::answered : dns_result::partial;
    return all;
}

} // namespace exeat::net
