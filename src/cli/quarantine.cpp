#include <cli/acting_user.hpp>
#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <exeat/limits.hpp>
#include <net/wall_clock.hpp>
#include <ops/policy/load_allowlist.hpp>
#include <ops/settings/load_config.hpp>
#include <ops/state/quarantine_file.hpp>
#include <ops/text/networks.hpp>
#include <ops/text/quantity.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <boost/json/array.hpp>
#include <fmt/core.h>
#include <stdexcept>

namespace exeat::cli {

namespace {

namespace json = boost::json;
using held = exeat::quarantine; // in this namespace, `quarantine` is the verb

struct wish {
    std::string config = "/etc/exeat/exeat.toml", client, account, entry, lasts, reason, format = "text";
    bool list = false, lift = false;
};

config settings_of(const wish& w)
{
    auto loaded = ops::load_config(w.config);
    if (!loaded.value) throw std::runtime_error{loaded.problems.front().to_string()};
    if (loaded.value->state.empty())
        throw std::runtime_error{w.config + ": has no 'state', the directory that a quarantine is kept in; write state = "
                                            "\"/var/lib/exeat\" and restart exeat"};
    return std::move(*loaded.value);
}

std::string one_plain_line(std::string text, const char* option)
{
    if (text.empty() || text.size() > limits::text_octets || ops::one_line(text) != text)
        throw std::runtime_error{fmt::format("{} must be one line of plain text, of {} octets at most", option, limits::text_octets)};
    return text;
}

// A misspelt entry would quarantine nothing. If the list does not load, the entry cannot be checked, and the quarantine is not delayed.
void require_entry(const wish& w, const config& c)
{
    ops::label_registry labels;
    ops::load_options with;
    with.site = c.network.site;
    const auto list = ops::load_allowlist(c.allowlist, labels, net::wall_now(), with);
    if (!list.rules) {
        print_error("exeat quarantine: {} does not load, so whether it has this entry is not known\n", ops::one_line(c.allowlist));
        return;
    }
    const auto& all = list.rules->rules();
    if (std::any_of(all.begin(), all.end(), [&](const rule& r) { return r.name == w.entry; })) return;
    if (c.approvals > 0) // the file may differ from the list in force
        print_error("exeat quarantine: warning: {} has no entry '{}'\n", ops::one_line(c.allowlist), ops::one_line(w.entry));
    else
        throw std::runtime_error{
            fmt::format("{} has no entry '{}'; 'exeat explain' says which entry lets a host out", c.allowlist, w.entry)};
}

held target_of(const wish& w)
{
    held q;
    q.entry = w.entry;
    q.service_account = w.account;
    if (!w.account.empty() && !is_service_account(w.account))
        throw std::runtime_error{"--service-account takes NAMESPACE/NAME, like training/trainer"};
    if (w.client.empty()) return q;
    const auto network = ops::parse_network(ops::without_group(w.client));
    if (!network) throw std::runtime_error{"--client: " + network.error()};
    q.client = *network;
    return q;
}

void print_list(const wish& w, const quarantines& all)
{
    if (w.format == "json") {
        json::array out;
        for (const auto& q : all)
            out.push_back(json::object{
                {"target", q.target()}, {"since", ops::utc(q.since)}, {"until", ops::utc(q.until)}, {"by", q.by}, {"reason", q.reason}});
        return print_as_json(out);
    }
    if (all.empty()) print_out("nothing is quarantined\n");
    for (const auto& q : all)
        print_out("{}  {}\n    {}: {}\n", ops::utc(q.until), ops::one_line(q.target()), ops::one_line(q.by), ops::one_line(q.reason));
}

int list(const wish& w)
{
    auto all = ops::read_quarantines(ops::quarantine_path(settings_of(w).state));
    if (!all) throw std::runtime_error{all.error()};
    std::erase_if(*all, [now = net::wall_now()](const held& q) { return q.until <= now; });
    print_list(w, *all);
    return success;
}

// The record stays, to show who lifted the quarantine and why, with an end that has passed by any clock.
int lift(const wish& w)
{
    const auto settings = settings_of(w);
    auto lifted = target_of(w);
    lifted.since = net::wall_now();
    lifted.by = acting_user();
    lifted.reason = w.reason.empty() ? "no reason given" : one_plain_line(w.reason, "--reason");
    bool was = false;
    ops::change_quarantines(ops::quarantine_path(settings.state), [&](quarantines& all) {
        const auto same = std::find_if(all.begin(), all.end(), [&](const held& q) { return q.same_target(lifted); });
        was = same != all.end() && same->until > lifted.since;
        if (was) *same = lifted;
    });
    if (!was) throw std::runtime_error{fmt::format("{} is not quarantined; --list says what is", lifted.target())};
    print_out("{}: lifted\n", ops::one_line(lifted.target()));
    return success;
}

// For two quarantines of one target the later end applies: a second call can only narrow.
void add(quarantines& all, held& q)
{
    constexpr std::chrono::days kept{31}; // the clock may be ahead, and a quarantine that still applies must not be removed here
    std::erase_if(all, [&](const held& old) { return old.until + kept <= q.since; });
    const auto same = std::find_if(all.begin(), all.end(), [&](const held& old) { return old.same_target(q); });
    if (same == all.end()) return all.push_back(q);
    q.until = std::max(q.until, same->until);
    *same = q;
}

int begin(const wish& w)
{
    const auto settings = settings_of(w);
    auto q = target_of(w);
    q.reason = one_plain_line(w.reason, "--reason");
    const auto lasts = ops::parse_duration(w.lasts);
    if (!lasts || *lasts < limits::quarantine_least || *lasts > limits::quarantine_ceiling)
        throw std::runtime_error{"--for must be from 1m to 31d, such as 1h; the quarantine ends then"};
    if (!q.service_account.empty() && settings.kubernetes.networks.empty())
        throw std::runtime_error{w.config + ": has no [kubernetes], so no client is known to be a pod; quarantine its address"};
    if (!q.entry.empty()) require_entry(w, settings);
    if (q.client && settings.kubernetes.covers(q.client->network))
        print_error("exeat quarantine: note: {} is an address of pods; whatever pod has it is quarantined, and that pod is not once it has "
                    "another. --service-account follows its pods\n",
                    q.client_text());
    q.by = acting_user();
    q.since = net::wall_now();
    q.until = q.since + std::chrono::floor<std::chrono::seconds>(*lasts);
    ops::change_quarantines(ops::quarantine_path(settings.state), [&q](quarantines& all) { add(all, q); });
    print_out("{}: quarantined until {}; {}\n", ops::one_line(q.target()), ops::utc(q.until),
              ops::is_in_use(settings.state) ? "the running exeat takes it within a second"
                                             : "no exeat runs with this state directory now, and the next one begins with it");
    return success;
}

int wrong(const char* why)
{
    print_error("exeat quarantine: {}\n", why);
    return wrong_usage;
}

} // namespace

int quarantine(int argc, char** argv)
{
    CLI::App app{"Quarantines a client, a service account or an entry: within a second what is open ends and what is asked for is refused, "
                 "over reloads and "
                 "restarts, until the time is over.\n"
                 "Example: exeat quarantine --client 10.42.3.7 --for 1h --reason 'uploads to an unknown host'",
                 "exeat quarantine"};
    wish w;
    app.add_option("--config", w.config, "exeat.toml, which names the state directory; /etc/exeat/exeat.toml without it")
        ->type_name("FILE");
    app.add_option("--client", w.client, "an address, or a network such as 10.42.3.0/24")->type_name("ADDR");
    app.add_option("--service-account", w.account, "all pods of this service account, as NAMESPACE/NAME, whatever pods those are");
    app.add_option("--entry", w.entry, "an entry of the allowlist, by its name")->type_name("NAME");
    app.add_option("--for", w.lasts, "how long: 30m, 1h, 7d; 31d at most")->type_name("DURATION");
    app.add_option("--reason", w.reason, "why; it is logged");
    app.add_flag("--lift", w.lift, "ends the quarantine of what is named; --reason says why");
    app.add_flag("--list", w.list, "what is quarantined, until when, by whom and why");
    app.add_option("--format", w.format, "of --list: text (default) or json")->check(CLI::IsMember(formats));
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    if (w.list) return list(w);
    const auto named = !w.client.empty() + !w.account.empty() + !w.entry.empty();
    if (named > 1) return wrong("give --client, --service-account or --entry, and only one of them");
    if (named == 0) return wrong("give --client, --service-account or --entry, or --list");
    if (w.lift) return lift(w);
    if (w.lasts.empty() || w.reason.empty()) return wrong("give --for and --reason");
    return begin(w);
}

} // namespace exeat::cli
