#include <exeat/detect/denials.hpp>

#include <algorithm>

namespace exeat::detect {

namespace {

constexpr moment window{300}, quiet{3'600};

bool tells_of_evasion(verdict v) noexcept
{
    using enum verdict;
    return v == sni_mismatch || v == sni_missing || v == sni_changed || v == ech || v == not_tls || v == tls_malformed;
}

// A verdict for what is allowed but not possible now, or no longer: caused by the destination, by exeat or by others; not a sign of
// probing.
bool is_trouble(verdict v) noexcept
{
    using enum verdict;
    switch (v) {
    case dns_failure:
    case dns_overload:
    case connect_failure:
    case connect_timeout:
    case upstream_malformed:
    case overload:
    case rate:
    case audit_unavailable:
    case policy_revoked: return true;
    default: return false;
    }
}

} // namespace

void denial_watch::see(const flow_event& e, findings& out)
{
    const bool denied = e.step == flow_step::deny;
    if (!denied && e.step != flow_step::open) return;
    if (denied && is_trouble(e.verdict)) return;
    const client_key key{e.client, 0};
    if (!denied && clients_.look(key) == nullptr) return; // a client that was never refused is not suspect
    auto& s = clients_.use(key);
    if (is_new(s, e)) walk(s, e, out);
    if (!denied) return;
    count(s, e, out);
    if (tells_of_evasion(e.verdict)) mismatch(s, e, out);
}

// The same target again is not new, unless the result differs.
bool denial_watch::is_new(suspect& s, const flow_event& e) const
{
    const auto target = (hash_of(e.host, seed_) & ~std::uint64_t{1}) | (e.step == flow_step::deny ? 1 : 0);
    if (std::find(s.targets.begin(), s.targets.end(), target) != s.targets.end()) return false;
    s.targets[s.next++ % s.targets.size()] = target;
    return true;
}

void denial_watch::walk(suspect& s, const flow_event& e, findings& out) const
{
    s.walk = e.step == flow_step::deny ? s.walk * 4 : std::max(1.0 / 16, s.walk / 4);
    if (s.walk < than_.denied_walk) return;
    if (s.told_walk.may(e.at, quiet)) out.push_back({detector::denied_burst, e.client, e.entry, s.walk, than_.denied_walk});
    s.walk = 1;
}

void denial_watch::count(suspect& s, const flow_event& e, findings& out) const
{
    if (e.at >= s.window_began + window) s.window_began = e.at, s.denied = 0;
    s.denied += e.times;
    if (s.denied >= than_.denied_burst && s.told_burst.may(e.at, quiet))
        out.push_back({detector::denied_burst, e.client, e.entry, static_cast<double>(s.denied), static_cast<double>(than_.denied_burst)});
}

void denial_watch::mismatch(suspect& s, const flow_event& e, findings& out)
{
    s.mismatches += e.times;
    if (s.told_mismatch.may(e.at, window))
        out.push_back({detector::name_mismatch, e.client, e.entry, static_cast<double>(s.mismatches), 1});
}

} // namespace exeat::detect
