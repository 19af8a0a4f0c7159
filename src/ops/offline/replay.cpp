#include <ops/offline/replay.hpp>

#include <exeat/check_address.hpp>
#include <exeat/limits.hpp>

#include <algorithm>

namespace exeat::ops {

namespace {

constexpr std::size_t unchanged = ~std::size_t{0}, unlisted = unchanged - 1;

// Verdicts that come from decide() alone, so they can be decided again.
bool by_list(verdict v) noexcept
{
    using enum verdict;
    return v == not_allowed || v == denied_by_rule || v == port_not_allowed || v == protocol_not_allowed || v == ip_literal ||
           v == expired || v == policy_expired;
}

} // namespace

std::size_t replay::request(const logged_event& e) { return e.action == logged_event::what::deny ? refused(e) : passed(e); }

group_set replay::groups_of(const logged_event& e) const
{
    const auto pod = pod_of_account(e.service_account);
    return rules_.groups_of(e.source, pod ? &*pod : nullptr);
}

replay::judgement replay::judge(const logged_event& e, const target& to) const
{
    const client who{e.source, e.source_port, groups_of(e)};
    const auto d = decide(who, to, rules_, now_);
    judgement out{d.verdict, d.rule, d.reported != verdict::allowed};
    if (!d.allowed()) return out;
    auto found = d.approval->known_addresses(); // these are dialled, whatever the name resolved to
    if (found.empty() && e.peer) found = {&*e.peer, 1};
    for (const auto& a : found) {
        const auto checked = check_address(*d.approval, a, {});
        if (checked) continue;
        out.verdict = checked.error();
        if (checked.error().by != nullptr) out.by = checked.error().by;
        break;
    }
    return out;
}

// An [[allow]] never opens an address that is not public at exeat's site; the list does not contain the site's networks.
bool replay::closed_whatever_the_list_says(const logged_event& e, const judgement& would) const
{
    const bool not_public = e.verdict == verdict::addr_class || e.verdict == verdict::private_link_cidr;
    return not_public && e.peer && would.verdict == verdict::allowed && would.by->kind == rule_kind::allow;
}

// Whether the refusal depended only on the list and on data in the log. A [[deny]] may have refused an address that an older exeat did not
// log.
bool replay::known_from_log(const logged_event& e) const
{
    using enum verdict;
    if (e.verdict == addr_class || e.verdict == private_link_public || e.verdict == private_link_cidr) return e.peer.has_value();
    if (e.verdict != denied_by_rule || e.peer) return by_list(e.verdict);
    const auto& networks = rules_.denied().all();
    return std::none_of(networks.begin(), networks.end(), [&](const auto& n) { return rules_.rules()[n.rule].name == e.rule; });
}

std::size_t replay::passed(const logged_event& e)
{
    const target to{*e.host, e.port, e.via};
    const auto would = judge(e, to);
    if (would.verdict != verdict::allowed) {
        result_.newly_denied += e.stands_for;
        return changed(e, would, false);
    }
    // It passed as raw bytes; the log does not show whether they were TLS with the right name.
    const bool unseen = e.as == protocol::tcp && would.by->protocol == protocol::tls;
    if (unseen) return not_replayed(e, verdict::not_tls);
    result_.still_allowed += e.stands_for;
    if (would.by_report_mode) result_.by_report_mode += e.stands_for;
    return unchanged;
}

std::size_t replay::refused(const logged_event& e)
{
    if (!e.host || e.port == 0) {
        const bool known = e.verdict == verdict::source_not_allowed && groups_of(e).any();
        if (known) result_.newly_known += e.stands_for;
        return not_replayed(e, e.verdict);
    }
    // A list accepts any CONNECT to a destination that it contains, and then checks the content: such a denial is about TLS content and an
    // entry without TLS.
    const bool inside = e.via == approach::tunnel && e.verdict == verdict::protocol_not_allowed;
    const target to{*e.host, e.port, inside ? approach::tls : e.via};
    const auto would = judge(e, to);
    if (would.verdict != verdict::allowed || closed_whatever_the_list_says(e, would)) {
        result_.still_refused += e.stands_for;
        return unchanged;
    }
    if (!known_from_log(e)) return not_replayed(e, e.verdict);
    result_.newly_allowed += e.stands_for;
    if (would.by_report_mode) result_.by_report_mode += e.stands_for;
    return changed(e, would, true);
}

std::size_t replay::not_replayed(const logged_event& e, verdict why)
{
    result_.not_replayed[why] += e.stands_for;
    return unchanged;
}

std::size_t replay::changed(const logged_event& e, const judgement& would, bool opens)
{
    const std::string host{e.host->str()};
    const auto entry = opens ? std::string{} : e.rule;
    const key k{opens, e.group, entry, would.by, e.verdict, would.verdict, e.reported() || would.by_report_mode, host, e.port, e.via};
    auto at = known_.find(k);
    if (at == known_.end()) {
        if (result_.rows.size() >= limits::replay_rows) {
            result_.beyond.requests += e.stands_for;
            return unlisted;
        }
        at = known_.emplace(k, result_.rows.size()).first;
        result_.rows.push_back({opens, e.group, entry, would.by, e.verdict, would.verdict, e.reported(), host, e.port, e.via, {}});
    }
    result_.rows[at->second].volume.requests += e.stands_for;
    return at->second;
}

void replay::moved(std::size_t request, const logged_event&, std::uint64_t upload, std::uint64_t download)
{
    if (request == unchanged) return;
    auto& volume = request == unlisted ? result_.beyond : result_.rows[request].volume;
    volume.upload += upload;
    volume.download += download;
}

replay_result replay::finish()
{
    const auto order = [](const replay_row& r) {
        return std::tuple{!r.opens, r.group, r.entry, r.by == nullptr ? std::string{} : r.by->name, r.was, r.is, r.reported};
    };
    std::stable_sort(result_.rows.begin(), result_.rows.end(), [&](const replay_row& a, const replay_row& b) {
        const auto left = order(a), right = order(b);
        return left != right ? left < right : a.volume.requests > b.volume.requests;
    });
    known_.clear();
    return std::move(result_);
}

} // namespace exeat::ops
