#include <cli/explanation.hpp>

#include <exeat/address_class.hpp>
#include <ops/asked_target.hpp>
#include <ops/findings.hpp>
#include <ops/utc.hpp>

#include <fmt/format.h>

namespace exeat::cli {

namespace {

template <class Items, class Word> std::string listed(const Items& items, Word word)
{
    std::string out;
    for (const auto& i : items) out += (out.empty() ? "" : ", ") + word(i);
    return out;
}

std::string place_of(const rule& r) { return r.line == 0 ? "built in" : fmt::format("{}:{}", r.file, r.line); }

std::string groups_text(const group_set& of, const policy& rules)
{
    std::vector<std::string> names;
    for (std::size_t i = 0; i < rules.groups().size(); ++i)
        if (of[i]) names.push_back(rules.groups()[i].name);
    return names.empty() ? "no group" : listed(names, [](const std::string& n) { return n; });
}

std::string ports_text(const rule& r)
{
    return r.ports.empty() ? "every port" : listed(r.ports, [](std::uint16_t p) { return std::to_string(p); });
}

// What the address must be before anything is dialled (check_address).
std::string address_note(const approval& leave)
{
    const rule& by = leave.by();
    if (const auto& literal = leave.to().host.address()) {
        const auto said = check_address(leave, *literal, {});
        return fmt::format("it is an address ({}): dialling it is {}", to_string(classify(*literal)),
                           said ? "allowed" : to_string(said.error()));
    }
    if (by.kind == rule_kind::allow) return "then: the name is looked up, and every address of the answer must be a public one";
    if (!by.addresses.empty())
        return "then: dials " + listed(by.addresses, [](const ip_address& a) { return a.to_string(); }) + ", without a look-up";
    return "then: the name is looked up, and every address of the answer must lie in " +
           listed(by.within, [](const ip_prefix& p) { return p.to_string(); });
}

void note_allowed(explanation& e, const decision& d)
{
    e.notes.push_back(address_note(*d.leave));
    if (d.by->protocol != protocol::tls) return;
    e.notes.push_back(
        fmt::format("then: the TLS server name must be {}{}", d.leave->to().host.str(), d.by->ech ? "; ECH may pass" : ", without ECH"));
}

// Entries that name the host and are not for this client, or for another port.
void note_near(explanation& e, const client& who, const target& to, const policy& rules)
{
    bool named = false;
    rules.names().match(to.host.str(), [&](std::span<const rule_index> list, host_pattern::reach) {
        for (const auto i : list) {
            const rule& r = rules.rules()[i];
            if (r.kind == rule_kind::deny) continue;
            named = true;
            if ((r.groups & who.groups).none())
                e.notes.push_back(fmt::format("{} ({}) names this host, but is for {}", ops::as_shown(r.name), place_of(r),
                                              groups_text(r.groups, rules)));
            else
                e.notes.push_back(fmt::format("{} ({}) names this host: protocol {}, ports {}", ops::as_shown(r.name), place_of(r),
                                              to_string(r.protocol), ports_text(r)));
        }
        return e.notes.size() < limits::ports_per_rule;
    });
    if (!named) e.notes.push_back("no [[allow]] or [[private_link]] names this host");
}

void note_denied(explanation& e, const client& who, const target& to, const policy& rules)
{
    switch (e.said) {
    case verdict::source_not_allowed: e.notes.push_back(fmt::format("{} lies in no group's sources", who.source.to_string())); break;
    case verdict::not_allowed:
    case verdict::ip_literal:
    case verdict::port_not_allowed:
    case verdict::protocol_not_allowed: note_near(e, who, to, rules); break;
    default: break;
    }
}

} // namespace

explanation explain_target(std::string_view asked, const ip_address& source, const policy& rules, wall_time now)
{
    explanation e;
    e.target = asked;
    const auto to = ops::parse_asked_target(asked);
    if (!to) {
        e.said = to.error();
        e.notes.push_back("write host:port, or http://host[:port] for plain HTTP");
        return e;
    }
    const client who{source, 0, rules.groups_of(source)};
    const auto d = decide(who, *to, rules, now);
    e.said = d.said, e.allowed = d.allowed(), e.by = d.by, e.reported = d.reported;
    e.notes.push_back("client: " + groups_text(who.groups, rules));
    if (d.allowed()) note_allowed(e, d);
    else note_denied(e, who, *to, rules);
    return e;
}

std::string to_text(const explanation& e)
{
    std::string out = fmt::format("{}: {}", ops::as_shown(e.target), to_string(e.said));
    if (e.by != nullptr)
        out += fmt::format(" by {} ({}{})", ops::as_shown(e.by->name),
                           e.by->line == 0 ? "" : fmt::format("[[{}]] at ", to_string(e.by->kind)), place_of(*e.by));
    out += "\n";
    const auto line = [&out](std::string_view what, std::string_view text) {
        if (!text.empty()) out += fmt::format("    {}{}\n", what, text);
    };
    if (!e.allowed) line("", exeat::explanation(e.said));
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
    boost::json::object out{{"target", e.target}, {"allowed", e.allowed}, {"verdict", to_string(e.said)}};
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
