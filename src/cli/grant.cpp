#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <cli/passphrase.hpp>
#include <cli/signatures.hpp>
#include <net/wall_clock.hpp>
#include <ops/grant.hpp>
#include <ops/load_allowlist.hpp>
#include <ops/load_config.hpp>
#include <ops/part_files.hpp>
#include <ops/quantity.hpp>
#include <ops/replace_file.hpp>
#include <ops/utc.hpp>

#include <filesystem>
#include <fmt/core.h>
#include <optional>
#include <stdexcept>

namespace exeat::cli {

namespace {

struct request {
    ops::grant what;
    std::string config, allowlist, lasts, key, passphrase_file;
    std::size_t approvals = 0; // of the configuration
    site_networks site{};      // the same
};

void look_up(request& r)
{
    if (r.config.empty()) return;
    const auto loaded = ops::load_config(r.config);
    if (!loaded.value) throw std::runtime_error{loaded.problems.front().to_string()};
    if (r.allowlist.empty()) r.allowlist = loaded.value->allowlist;
    r.approvals = loaded.value->approvals;
    r.site = loaded.value->network.site;
    if (r.approvals > 0 && r.key.empty()) throw std::runtime_error{"this allowlist must be approved; give --key"};
    if (r.approvals > 1)
        throw std::runtime_error{
            fmt::format("{} approvals are needed, so that one key cannot open it alone: write the grant beside a copy of the list "
                        "(--allowlist), have it signed by all ('exeat sign'), then move its .sig and, last, itself into allowlist.d",
                        r.approvals)};
}

std::optional<ops::private_key> key_of(const request& r)
{
    if (r.key.empty()) return std::nullopt;
    auto key = ops::private_key::read(r.key, read_passphrase(r.passphrase_file));
    if (!key) throw std::runtime_error{key.error()};
    return std::move(*key);
}

// What the whole policy would say with it; without rules when it would not load.
ops::loaded_allowlist tried(const request& r, const std::pair<std::string, std::string>& file)
{
    ops::label_registry labels;
    ops::load_options with{ops::scrutiny::lint};
    with.also = &file;
    with.site = r.site;
    auto out = ops::load_allowlist(r.allowlist, labels, net::wall_now(), with);
    for (const auto& p : out.problems)
        if (p.file == file.first || p.how == ops::problem::weight::error) print_error("{}\n", p.to_string());
    return out;
}

void write(const std::string& path, const std::string& text)
{
    std::error_code failed;
    std::filesystem::create_directory(std::filesystem::path{path}.parent_path(), failed);
    if (const auto not_written = ops::create_file(path, text, ops::readers::all))
        throw std::runtime_error{path + ": " + not_written.message()};
}

int grant_it(request& r)
{
    look_up(r);
    const auto lasts = ops::parse_duration(r.lasts);
    if (!lasts || *lasts < limits::grant_least || *lasts > limits::grant_ahead)
        throw std::runtime_error{"--for must be from 1m to 31d, such as 4h; the grant ends by itself then"};
    r.what.expires = net::wall_now() + std::chrono::floor<std::chrono::seconds>(*lasts);
    const auto directory = ops::parts_directory(r.allowlist);
    const std::pair file{directory + "/" + r.what.name + ".toml", r.what.to_toml()};
    if (std::filesystem::exists(file.first))
        throw std::runtime_error{file.first + ": is there already; remove it, or choose another --entry"};
    const auto key = key_of(r);
    const auto policy = tried(r, file);
    if (!policy.rules) return failure;
    std::error_code failed;
    std::filesystem::create_directory(directory, failed);
    if (key) add_signature(file.first + ".sig", policy.lists.back().statement, *key); // first: a list without it would be refused
    write(file.first, file.second);
    print_out("{}: open until {}; remove the file to end it before\n", ops::one_line(file.first), ops::utc(r.what.expires));
    return success;
}

} // namespace

int grant(int argc, char** argv)
{
    CLI::App app{
        "Opens hosts for a while: writes one entry with its end into allowlist.d, beside the allowlist, signed where --key is given.\n"
        "Nothing is written unless the whole policy with it passes 'exeat check' without an error.\n"
        "Example: exeat grant --config exeat.toml --entry paper-figures --for 4h --host figures.test --group training --reason "
        "'camera-ready'",
        "exeat grant"};
    request r;
    app.add_option("--config", r.config, "exeat.toml: which allowlist, and whether it must be approved")->type_name("FILE");
    app.add_option("--allowlist", r.allowlist, "the allowlist, in place of the configuration's")->type_name("FILE");
    app.add_option("--entry", r.what.name, "the entry's name, and the file's")->required();
    app.add_option("--for", r.lasts, "how long: 30m, 4h, 7d; 31d at most")->required()->type_name("DURATION");
    app.add_option("--host", r.what.hosts, "a host; may be repeated")->required()->allow_extra_args(false);
    app.add_option("--group", r.what.groups, "who; may be repeated; every group without it")->allow_extra_args(false);
    app.add_option("--port", r.what.ports, "in place of the protocol's; may be repeated")->allow_extra_args(false);
    app.add_option("--protocol", r.what.protocol, "tls (default), http or tcp");
    app.add_option("--purpose", r.what.purpose, "pull (default), api or telemetry");
    app.add_option("--owner", r.what.owner, "who answers for it");
    app.add_option("--reason", r.what.reason, "why")->required();
    app.add_option("--ticket", r.what.ticket, "where it was asked for");
    app.add_option("--key", r.key, "the private key that approves it: a PEM file, or a pkcs11: URI")->type_name("KEY");
    app.add_option("--passphrase-file", r.passphrase_file, "its first line is the key's passphrase or PIN")->type_name("FILE");
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    if (r.config.empty() && r.allowlist.empty()) {
        print_error("exeat grant: give --config or --allowlist\n");
        return wrong_usage;
    }
    return grant_it(r);
}

} // namespace exeat::cli
