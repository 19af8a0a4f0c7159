#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <cli/signing/verify_logs.hpp>
#include <net/wall_clock.hpp>
#include <ops/approvals/policy_gate.hpp>
#include <ops/settings/load_config.hpp>
#include <ops/text/utc.hpp>

#include <fmt/core.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace exeat::cli {

namespace {

struct wanted_approvals {
    std::string config, allowlist, audience;
    std::vector<std::string> keys;
    std::size_t needed = 0;
};

// The settings of exeat.toml; the command line overrides them.
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
    // A list named on the command line is not compared with the state: it may be older or newer than the one in force here.
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
    CLI::App app{
        "Checks that an audit log is whole: numbers without a gap, each line carrying the hash of the line before; and says up to\n"
        "which line it is proven, and by what. Or checks that an allowlist is what its manifest says, and has the approvals that it "
        "needs.\n"
        "Examples: exeat verify --audit audit.jsonl.1.gz --audit audit.jsonl --key audit.pub --state /var/lib/exeat\n"
        "          exeat verify --config /etc/exeat/exeat.toml allowlist.toml",
        "exeat verify"};
    wanted_proof logs;
    wanted_approvals wanted;
    auto* audit = add_log_options(app, logs);
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
    return logs.files.empty() ? verify_list(wanted) : verify_logs(logs);
}

} // namespace exeat::cli
