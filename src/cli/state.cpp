#include <cli/acting_user.hpp>
#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <net/wall_clock.hpp>
#include <ops/settings/load_config.hpp>
#include <ops/state/init_mark.hpp>

#include <stdexcept>

namespace exeat::cli {

namespace {

int init(const std::string& path)
{
    auto loaded = ops::load_config(path);
    if (!loaded.value) throw std::runtime_error{loaded.problems.front().to_string()};
    ops::state_directory directory{loaded.value->state};
    if (directory.path.empty())
        throw std::runtime_error{path + ": has no 'state', the directory that budgets are kept in; write state = \"/var/lib/exeat\""};
    directory.key = ops::state_key();
    ops::write_init_mark(directory, {acting_user(), net::wall_now()});
    print_out("{}: the next start begins with whole budgets, and the audit log says who said so\n", ops::one_line(directory.path));
    return success;
}

} // namespace

int state(int argc, char** argv)
{
    CLI::App app{"Prepares the state directory of a new installation: the first start after 'init' counts no upload budget as half spent. "
                 "Refused where there is state already.\n"
                 "Example: exeat state init --config /etc/exeat/exeat.toml",
                 "exeat state"};
    std::string config = "/etc/exeat/exeat.toml", what;
    app.add_option("WHAT", what, "init")->required()->check(CLI::IsMember({"init"}));
    app.add_option("--config", config, "exeat.toml, which names the state directory; /etc/exeat/exeat.toml without it")->type_name("FILE");
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    return init(config);
}

} // namespace exeat::cli
