#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <ops/identity/keep_pods.hpp>
#include <ops/settings/load_config.hpp>

#include <map>

namespace exeat::cli {

int identities(int argc, char** argv)
{
    const std::map<std::string, ops::log_format> formats{
        {"people", ops::log_format::people}, {"logfmt", ops::log_format::logfmt}, {"json", ops::log_format::json}};
    CLI::App app{"Keeps the file that says which pod has which address: lists and watches the pods of Kubernetes, in the foreground.\n"
                 "Example: exeat identities --config /etc/exeat/exeat.toml",
                 "exeat identities"};
    std::string path, format = "people";
    app.add_option("--config", path, "exeat.toml, whose [kubernetes] says where the API server and the file are")
        ->type_name("FILE")
        ->required();
    app.add_option("--log", format, "of its log on stderr: people, logfmt or json")->check(CLI::IsMember({"people", "logfmt", "json"}));
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    const auto settings = ops::load_config(path);
    for (const auto& p : settings.problems) print_error("{}\n", p.to_string());
    if (!settings.value) return failure;
    const ops::event_log log{formats.at(format)};
    ops::keep_pods(*settings.value, log);
    return success;
}

} // namespace exeat::cli
