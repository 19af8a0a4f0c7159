#include <ops/policy/expectations.hpp>

#include <exeat/check_address.hpp>
#include <ops/policy/asked_target.hpp>
#include <ops/policy/near_misses.hpp>
#include <ops/text/allowlist_toml_keys.hpp>
#include <ops/text/did_you_mean.hpp>

#include <fmt/format.h>

namespace exeat::ops {

namespace {

constexpr toml_key client_key = key_of(allowlist_toml::expect, "client"), target_key = key_of(allowlist_toml::expect, "target"),
                   account_key = key_of(allowlist_toml::expect, "service_account"), verdict_key = key_of(allowlist_toml::expect, "verdict");

// Verdicts that need no look-up, no connection and no byte of TLS.
constexpr std::array<std::string_view, 15> words{"allow",
                                                 "allowed",
                                                 "source_not_allowed",
                                                 "not_allowed",
                                                 "denied_by_rule",
                                                 "port_not_allowed",
                                                 "protocol_not_allowed",
                                                 "ip_literal",
                                                 "expired",
                                                 "policy_expired",
                                                 "host_syntax",
                                                 "scheme",
                                                 "addr_class",
                                                 "private_link_public",
                                                 "private_link_cidr"};

expectation read_one(section& s)
{
    expectation e;
    e.at = s.where();
    for (const auto key : {client_key, target_key, verdict_key})
        if (!s.has(key.name)) s.missing(key);
    if (const auto text = s.text(client_key)) {
        const auto a = ip_address::parse(*text);
        if (!a) s.reject(client_key.name, fmt::format("{} is not an address; write client = {}", as_shown(*text), client_key.example));
        e.client = a.value_or(ip_address{});
    }
    if (const auto text = s.text(account_key)) {
        if (!is_service_account(*text))
            s.reject(account_key.name,
                     fmt::format("{} is not a service account; write {} = {}", as_shown(*text), account_key.name, account_key.example));
        else e.service_account = *text;
    }
    e.target = s.octets(target_key).value_or("");
    if (const auto w = s.word(verdict_key, words)) e.verdict = verdict_from(words[*w]).value_or(verdict::allowed);
    s.done();
    return e;
}

struct outcome {
    enum verdict verdict;
    const rule* by = nullptr;
    std::string why{}; // describes the entry that came closest
};

std::string closest(verdict said, const client& who, const target& to, const policy& rules)
{
    const auto all = near_misses(said, who, to, rules);
    return all.empty() ? std::string{} : all.front();
}

outcome judge(const expectation& e, const policy& rules, wall_time now, const site_networks& site)
{
    const auto to = parse_asked_target(e.target);
    if (!to) return {to.error()};
    client who{e.client};
    if (const auto pod = pod_of_account(e.service_account)) who.pod = std::make_shared<const exeat::pod>(*pod);
    who.groups = rules.groups_of(e.client, who.pod.get());
    const auto d = decide(who, *to, rules, now);
    if (!d.allowed()) return {d.verdict, d.rule, closest(d.verdict, who, *to, rules)};
    if (d.reported != verdict::allowed) return {d.reported, nullptr, closest(d.reported, who, *to, rules)};
    const auto checked = check_answer(*d.approval, d.approval->known_addresses(), own_endpoints{{}, {}, site});
    if (checked) return {d.verdict, d.rule};
    const auto* denier = checked.error().by;
    return {checked.error().why, denier == nullptr ? d.rule : denier};
}

std::string client_text(const expectation& e)
{
    return e.service_account.empty() ? e.client.to_string() : fmt::format("{} ({})", e.client.to_string(), e.service_account);
}

std::string told(const outcome& o)
{
    const auto why = o.why.empty() ? std::string{} : ": " + o.why;
    const bool named = o.by == nullptr || o.why.starts_with(as_shown(o.by->name)); // otherwise the entry would be named twice
    if (named) return fmt::format("{}{}", to_string(o.verdict), why);
    return fmt::format("{} by {} ({}){}", to_string(o.verdict), as_shown(o.by->name), place_of(*o.by), why);
}

} // namespace

std::string to_string(const expectation& e)
{
    return fmt::format("{} to {}: {}", client_text(e), as_shown(e.target), to_string(e.verdict));
}

std::vector<expectation> read_expectations(section& root)
{
    std::vector<expectation> out;
    for (const auto* t : root.tables({"expect", ""}, limits::expectations)) {
        section s{*t, "[[expect]]", root.wrong()};
        out.push_back(read_one(s));
    }
    return out;
}

void run_expectations(const std::vector<expectation>& all, const policy& rules, wall_time now, const site_networks& site,
                      diagnostics& wrong)
{
    if (now >= rules.settings().expires) return;
    for (const auto& e : all) {
        const auto got = judge(e, rules, now, site);
        if (got.verdict == e.verdict) continue;
        auto text = fmt::format("expected that {} from client {} is {}, but it is {}; fix the entry or the expectation", as_shown(e.target),
                                client_text(e), to_string(e.verdict), told(got));
        if (got.verdict == verdict::expired && e.verdict == verdict::allowed) wrong.warning(e.at, std::move(text));
        else wrong.error(e.at, std::move(text));
    }
}

} // namespace exeat::ops
