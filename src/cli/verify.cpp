#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <net/wall_clock.hpp>
#include <ops/load_config.hpp>
#include <ops/policy_gate.hpp>
#include <ops/utc.hpp>
#include <ops/verify_audit.hpp>

#include <fmt/core.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace exeat::cli {

namespace {

void report(const std::string& file, const ops::audit_findings& found)
{
    const auto path = ops::one_line(file);
    for (const auto& note : found.notes) print_out("{}: {}\n", path, ops::one_line(note));
    if (!found.whole()) print_error("{}: {}\n", path, found.problem);
    else if (found.lines == 0) print_out("{}: empty\n", path);
    else print_out("{}: {} lines, numbers {} to {}, none missing, none changed\n", path, found.lines, found.first, found.last);
}

int verify_logs(const std::vector<std::string>& files)
{
    std::optional<ops::audit_place> end;
    for (const auto& path : files) {
        const auto found = ops::verify_audit(path, end);
        report(path, found);
        if (!found.whole()) return failure;
        if (found.end) end = found.end;
    }
    return success;
}

struct wanted_approvals {
    std::string config, allowlist, audience;
    std::vector<std::string> keys;
    std::size_t needed = 0;
};

// What exeat.toml says, unless the command line says otherwise.
exeat::config settings_of(const wanted_approvals& wanted)
{
    exeat::config c;
    if (!wanted.config.empty()) {
        auto loaded = ops::load_config(wanted.config);
        if (!loaded.value) throw std::runtime_error{loaded.problems.front().to_string()};
        c = std::move(*loaded.value);
    }
    if (!wanted.allowlist.empty()) c.allowlist = wanted.allowlist;
    if (!wanted.keys.empty()) c.trusted_keys = wanted.keys, c.approvals = 1;
    if (wanted.needed > 0) c.approvals = wanted.needed;
    if (!wanted.audience.empty()) c.audience = wanted.audience;
    return c;
}

void tell_of(const ops::list_file& list, const ops::approval_rules& rules)
{
    const auto path = ops::one_line(list.path);
    if (list.kind == ops::list_kind::part)
        return print_out("{}: a part{}\n", path, list.revoked ? ", revoked: what it allows is closed" : "");
    if (list.kind == ops::list_kind::allowlist)
        print_out("{}: serial {}, {} of {} approvals{}\n", path, list.serial, list.approved_by.size(), rules.needed,
                  list.revoked ? ", revoked: what it allows is closed" : "");
    else print_out("{}: a grant until {}, {} of {} approvals\n", path, ops::utc(list.ends), list.approved_by.size(), rules.needed);
    for (const auto& id : list.approved_by) print_out("  {} {}\n", id, ops::one_line(rules.find(id)->file()));
}

int verify_list(const wanted_approvals& wanted)
{
    auto c = settings_of(wanted);
    const auto rules = ops::read_approval_rules(c);
    if (c.allowlist.empty() || rules.needed == 0) {
        print_error("exeat verify: give an allowlist and whom to trust: --config with trusted_keys in it, or --trusted-key\n");
        return wrong_usage;
    }
    // What somebody holds in the hand is compared with no state: it may be older or newer than what runs here.
    const bool draft = !wanted.allowlist.empty() || wanted.config.empty();
    if (draft) c.state.clear();
    ops::label_registry labels;
    const auto loaded = ops::policy_gate{c, ops::policy_gate::use::check}.load(labels, net::wall_now());
    for (const auto& p : loaded.problems) print_error("{}\n", p.to_string());
    if (!loaded.rules) return failure;
    for (const auto& list : loaded.lists) tell_of(list, rules);
    return success;
}

} // namespace

int verify(int argc, char** argv)
{
    CLI::App app{"Checks that an audit log is whole: numbers without a gap, each line carrying the hash of the line before.\n"
                 "What the last line says is vouched for only by the line that will come after it.\n"
                 "Or checks that an allowlist is what its manifest says, and has the approvals that it needs.\n"
                 "Examples: exeat verify --audit /var/log/exeat/audit.jsonl\n"
                 "          exeat verify --config /etc/exeat/exeat.toml allowlist.toml",
                 "exeat verify"};
    std::vector<std::string> logs;
    wanted_approvals wanted;
    auto* audit =
        app.add_option("--audit", logs, "the log; after a rotation, the older file first, and the chain is followed from one to the next")
            ->type_name("FILE");
    app.add_option("--config", wanted.config, "exeat.toml: its allowlist, trusted_keys and approvals")->type_name("FILE")->excludes(audit);
    app.add_option("--trusted-key", wanted.keys, "a public key, in place of the configuration's; may be repeated")
        ->type_name("KEY")
        ->allow_extra_args(false)
        ->excludes(audit);
    app.add_option("--approvals", wanted.needed, "how many different keys must have signed")->excludes(audit);
    app.add_option("--audience", wanted.audience, "the environment that it must be for; otherwise the configuration's, or any")
        ->type_name("NAME")
        ->excludes(audit);
    app.add_option("ALLOWLIST", wanted.allowlist, "in place of the configuration's")->excludes(audit);
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    return logs.empty() ? verify_list(wanted) : verify_logs(logs);
}

} // namespace exeat::cli
