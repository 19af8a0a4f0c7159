#include <cli/command.hpp>
#include <cli/parse_arguments.hpp>
#include <net/wall_clock.hpp>
#include <ops/load_config.hpp>
#include <ops/policy_gate.hpp>
#include <ops/service.hpp>

#include <cstdio>
#include <map>

namespace exeat::cli {

namespace {

void say(const std::vector<ops::problem>& all)
{
    for (const auto& p : all) std::fprintf(stderr, "%s\n", p.to_string().c_str());
}

int start(const std::string& path, ops::log_format format)
{
    const auto settings = ops::load_config(path);
    say(settings.problems);
    if (!settings.value) return 1;
    ops::label_registry labels;
    ops::policy_gate gate{*settings.value};
    auto list = gate.load(labels, net::wall_now());
    say(list.problems);
    if (!list.rules) return 1;
    const ops::event_log log{format};
    return ops::run_service(*settings.value, labels, gate, std::move(list), log);
}

} // namespace

int serve(int argc, char** argv)
{
    const std::map<std::string, ops::log_format> formats{
        {"people", ops::log_format::people}, {"logfmt", ops::log_format::logfmt}, {"json", ops::log_format::json}};
    CLI::App app{"Runs the proxy in the foreground. Example: exeat serve --config /etc/exeat/exeat.toml", "exeat serve"};
    std::string path;
    auto format = ops::log_format::people;
    app.add_option("--config", path, "settings of this machine (exeat.toml)")->required();
    app.add_option("--log", format, "of exeat's own log on stderr: people, logfmt or json")->transform(CLI::CheckedTransformer(formats));
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    return start(path, format);
}

} // namespace exeat::cli
