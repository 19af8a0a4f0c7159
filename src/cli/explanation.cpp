#include <cli/explanation.hpp>

#include <exeat/address_class.hpp>
#include <exeat/check_address.hpp>
#include <exeat/enum_array.hpp>
#include <ops/policy/asked_target.hpp>
#include <ops/policy/near_misses.hpp>
#include <ops/text/diagnostics.hpp>
#include <ops/text/json_text.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace exeat::cli {

namespace {

template <class Items, class Word> std::string listed(const Items& items, Word word)
{
    std::string out;
    for (const auto& i : items) out += (out.empty() ? "" : ", ") + word(i);
    return out;
}

std::string addresses_text(std::span<const ip_address> all)
{
    return listed(all, [](const ip_address& a) { return a.to_string(); });
}

// The condition for the address before anything is dialled (check_address).
std::string address_note(const approval& approved)
{
    const rule& by = approved.rule();
    if (approved.to().host.address()) return "then: it is an address, and is dialled as it is";
    if (!by.addresses.empty()) return "then: dials " + addresses_text(by.addresses) + ", without a look-up";
    if (by.kind == rule_kind::allow) return "then: the name is looked up, and every address of the answer must be a public one";
    return "then: the name is looked up, and every address of the answer must lie in " +
           listed(by.within, [](const ip_prefix& p) { return p.to_string(); });
}

// The entries that deny addresses to this client at this port.
std::string deniers(const client& who, const target& to, const policy& rules)
{
    std::set<std::uint32_t> by;
    for (const auto& n : rules.denied().all())
        if (rules.rules()[n.rule].denies(who.groups, to.port)) by.insert(n.rule);
    return listed(by,
                  [&](auto i) { return fmt::format("{} ({})", ops::as_shown(rules.rules()[i].name), ops::place_of(rules.rules()[i])); });
}

void note_allowed(explanation& e, const decision& d, const client& who, const policy& rules)
{
    const auto& to = d.approval->to();
    e.notes.push_back(address_note(*d.approval));
    const auto denied_by = d.approval->known_addresses().empty() ? deniers(who, to, rules) : std::string{};
    if (!denied_by.empty()) e.notes.push_back("and none that is denied by " + denied_by);
    if (d.rule->protocol == protocol::http && to.via == approach::tunnel)
        e.notes.push_back("then: what comes inside the tunnel is read as plain HTTP, and each request is decided");
    constexpr enum_array<ech_policy, std::string_view, 3> by_policy{", without ECH", "; what may be GREASE ECH may pass", "; ECH may pass"};
    if (d.rule->protocol == protocol::tls)
        e.notes.push_back(fmt::format("then: the TLS server name must be {}{}", to.host.str(), by_policy[d.rule->ech]));
    if (!denied_by.empty())
        e.notes.push_back("explain asks no DNS: whether an address of the answer is denied shows when the name is used");
}

// For an address that is known without a look-up and must not be dialled.
void note_address(explanation& e, const decision& d, const address_refusal& no, const site_networks& site)
{
    const auto& to = d.approval->to();
    const auto seen = classify(no.address, site);
    e.notes.push_back(fmt::format("{} is {}{}: {}", no.address.to_string(), to_string(seen.of),
                                  to.host.address() == no.address ? "" : fmt::format(", and {} leads there", to.host.str()),
                                  no.by == nullptr ? "it may not be dialled" : "a [[deny]] names it or a network around it"));
    if (no.by != nullptr)
        e.notes.push_back(fmt::format("without that, {} ({}) would allow the target", ops::as_shown(d.rule->name), ops::place_of(*d.rule)));
    if (!no.advice.empty()) e.notes.emplace_back(no.advice);
}

// A suggestion for how to write the target; empty when none is possible.
std::string how_to_write(std::string_view asked, verdict why)
{
    if (why == verdict::scheme) return "write host:port, or http://host[:port] for plain HTTP";
    if (asked.find(':') == asked.npos)
        return fmt::format("{} has no port: write one behind the host, as in host:443", ops::as_shown(asked));
    return {};
}

} // namespace

explanation explain_target(std::string_view asked, const asking& from, const policy& rules, wall_time now, const site_networks& site)
{
    explanation e;
    e.target = asked;
    const auto meant = ops::parse_asked_target(asked) ? std::string{asked} : ops::as_target(asked);
    if (meant != asked) e.notes.push_back(fmt::format("read as {}{}", meant, meant.starts_with("http://") ? "" : ", as in a CONNECT"));
    const auto to = ops::parse_asked_target(meant);
    if (!to) {
        e.verdict = to.error();
        if (auto note = how_to_write(asked, e.verdict); !note.empty()) e.notes.push_back(std::move(note));
        return e;
    }
    client who{from.source};
    if (const auto pod = pod_of_account(from.service_account)) who.pod = std::make_shared<const exeat::pod>(*pod);
    who.groups = rules.groups_of(from.source, who.pod.get());
    const auto d = decide(who, *to, rules, now);
    e.verdict = d.verdict, e.allowed = d.allowed(), e.by = d.rule, e.reported = d.reported;
    e.notes.push_back("group: " + ops::groups_text(who.groups, rules));
    if (!d.allowed()) {
        for (auto& note : ops::near_misses(e.verdict, who, *to, rules)) e.notes.push_back(std::move(note));
        return e;
    }
    const auto checked = check_answer(*d.approval, d.approval->known_addresses(), own_endpoints{{}, {}, site});
    if (checked) {
        note_allowed(e, d, who, rules);
        return e;
    }
    const auto& no = checked.error();
    e.verdict = no.why, e.allowed = false, e.reported = verdict::allowed;
    if (no.by != nullptr) e.by = no.by;
    note_address(e, d, no, site);
    return e;
}

void hold_to_quarantines(explanation& e, const asking& from, const quarantines& all, wall_time now)
{
    if (!e.allowed) return;
    const auto holds = [&](const quarantine& q) { return now < q.until && q.holds(from.source, e.by->name, from.service_account); };
    const auto q = std::find_if(all.begin(), all.end(), holds);
    if (q == all.end()) return;
    e.verdict = verdict::quarantined, e.allowed = false, e.reported = verdict::allowed;
    e.notes.push_back(fmt::format("{} is quarantined until {} by {}: {}", q->target(), ops::utc(q->until), q->by, q->reason));
    e.notes.push_back(fmt::format("without that, {} would allow the target", ops::as_shown(e.by->name)));
}

std::string to_text(const explanation& e)
{
    std::string out = fmt::format("{}: {}", ops::as_shown(e.target), to_string(e.verdict));
    if (e.by != nullptr)
        out += fmt::format(" by {} ({}{})", ops::as_shown(e.by->name),
                           e.by->line == 0 ? "" : fmt::format("[[{}]] at ", to_string(e.by->kind)), ops::place_of(*e.by));
    out += "\n";
    const auto line = [&out](std::string_view what, std::string_view text) {
        if (!text.empty()) out += fmt::format("    {}{}\n", what, ops::one_line(text));
    };
    if (!e.allowed) line("", exeat::explanation(e.verdict));
    if (e.reported != verdict::allowed) line("report mode lets it pass; enforced, it would be: ", to_string(e.reported));
    if (e.by != nullptr) {
        line("owner: ", e.by->owner);
        line("reason: ", e.by->reason);
        line("ticket: ", e.by->ticket);
        if (e.by->expires != never) line("expires: ", ops::utc(e.by->expires));
    }
    for (const auto& n : e.notes) line("", n);
    return out;
}

boost::json::object to_json(const explanation& e)
{
    boost::json::object out{{"target", e.target}, {"allowed", e.allowed}, {"verdict", to_string(e.verdict)}};
    if (e.reported != verdict::allowed) out["enforced"] = to_string(e.reported);
    if (e.by != nullptr) {
        out["entry"] =
            boost::json::object{{"name", e.by->name},   {"kind", to_string(e.by->kind)}, {"file", e.by->file},    {"line", e.by->line},
                                {"owner", e.by->owner}, {"reason", e.by->reason},        {"ticket", e.by->ticket}};
    }
    boost::json::array notes;
    for (const auto& n : e.notes) notes.emplace_back(n);
    out["notes"] = std::move(notes);
    return out;
}

} // namespace exeat::cli
