#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <net/wall_clock.hpp>
#include <ops/approvals/policy_gate.hpp>
#include <ops/process/block_signals.hpp>
#include <ops/service.hpp>
#include <ops/settings/load_config.hpp>
#include <ops/text/endpoint_text.hpp>

#include <map>

namespace exeat::cli {

namespace {

void say(const std::vector<ops::problem>& all)
{
    for (const auto& p : all) print_error("{}\n", p.to_string());
}

// Settings that two processes on the same machine must not share; they override the file.
struct instead {
    std::string admin, audit;
};

bool take(const instead& given, config& c)
{
    if (!given.audit.empty()) c.audit_path = given.audit;
    if (given.admin.empty()) return true;
    const auto at = ops::parse_endpoint(given.admin);
    if (at) c.admin = *at;
    else print_error("exeat: error: --admin: {} is not an address and port; write it like 127.0.0.1:9465\n", ops::as_shown(given.admin));
    return at.has_value();
}

int start(const std::string& path, const instead& given, ops::log_format format)
{
    const ops::watched_file file{path};
    auto settings = ops::load_config(path);
    say(settings.problems);
    if (!settings.value) return 1;
    if (!take(given, *settings.value)) return wrong_usage;
    ops::label_registry labels;
    ops::policy_gate gate{*settings.value};
    auto list = gate.load(labels, net::wall_now());
    say(list.problems);
    if (!list.rules) return 1;
    const ops::event_log log{format};
    if (list.approvals.from_copy)
        log.say(ops::severity::error, "the files on the disk are not what was approved; the copy that was accepted last is served",
                {{"what to do", "put back what was signed; 'exeat check --config' says what is wrong"}});
    return ops::run_service(*settings.value, {file, settings.sha256}, labels, gate, std::move(list), log);
}

} // namespace

int serve(int argc, char** argv)
{
    ops::keep_early_signals();
    const std::map<std::string, ops::log_format> formats{
        {"people", ops::log_format::people}, {"logfmt", ops::log_format::logfmt}, {"json", ops::log_format::json}};
    CLI::App app{"Runs the proxy in the foreground. Example: exeat serve --config /etc/exeat/exeat.toml", "exeat serve"};
    std::string path, format = "people";
    app.add_option("--config", path, "settings of this machine (exeat.toml)")->type_name("FILE")->required();
    app.add_option("--log", format, "of exeat's own log on stderr: people, logfmt or json")
        ->check(CLI::IsMember({"people", "logfmt", "json"}));
    instead given;
    app.add_option("--audit", given.audit, "the audit log, instead of [audit] path: two processes must not write one")->type_name("FILE");
    app.add_option("--admin", given.admin, "ADDRESS:PORT of the admin page, instead of [admin] address");
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    return start(path, given, formats.at(format));
}

} // namespace exeat::cli
