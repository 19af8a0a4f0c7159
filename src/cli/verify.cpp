#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <net/wall_clock.hpp>
#include <ops/load_config.hpp>
#include <ops/policy_gate.hpp>
#include <ops/verify_audit.hpp>

#include <algorithm>
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
    std::string config, allowlist;
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
    return c;
}

void tell_of(const ops::list_file& list, const ops::approval_rules& rules)
{
    print_out("{}: serial {}, {} of {} approvals\n", ops::one_line(list.path), list.statement.serial, list.approved_by.size(),
              rules.needed);
    for (const auto& id : list.approved_by) {
        const auto key = std::find_if(rules.keys.begin(), rules.keys.end(), [&](const auto& k) { return k.id() == id; });
        print_out("  {} {}\n", id, ops::one_line(key->file()));
    }
}

int verify_list(const wanted_approvals& wanted)
{
    const auto c = settings_of(wanted);
    const auto rules = ops::read_approval_rules(c);
    if (c.allowlist.empty() || rules.needed == 0) {
        print_error("exeat verify: give an allowlist and whom to trust: --config with trusted_keys in it, or --trusted-key\n");
        return wrong_usage;
    }
    ops::label_registry labels;
    ops::load_options with;
    with.approvals = &rules;
    with.require_end = c.require_end;
    with.site = c.network.site;
    const auto loaded = ops::load_allowlist(c.allowlist, labels, net::wall_now(), with);
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
                 "Or checks that an allowlist has the approvals that it needs.\n"
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
    app.add_option("ALLOWLIST", wanted.allowlist, "in place of the configuration's")->excludes(audit);
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    return logs.empty() ? verify_list(wanted) : verify_logs(logs);
}

} // namespace exeat::cli
