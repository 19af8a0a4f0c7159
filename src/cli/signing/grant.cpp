#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <cli/signing/signatures.hpp>
#include <cli/signing/statements.hpp>
#include <net/wall_clock.hpp>
#include <ops/approvals/grant_statement.hpp>
#include <ops/approvals/signed_list.hpp>
#include <ops/files/replace_file.hpp>
#include <ops/policy/grant.hpp>
#include <ops/policy/load_allowlist.hpp>
#include <ops/policy/part_files.hpp>
#include <ops/settings/load_config.hpp>
#include <ops/text/quantity.hpp>
#include <ops/text/utc.hpp>

#include <filesystem>
#include <fmt/core.h>
#include <optional>
#include <stdexcept>

namespace exeat::cli {

namespace {

struct request {
    ops::grant what;
    std::string config, allowlist, audience, lasts, key, passphrase_file;
    std::size_t approvals = 0;                          // from the configuration
    std::chrono::seconds longest = limits::grant_ahead; // the same
    site_networks site{};                               // the same
};

void look_up(request& r)
{
    if (r.config.empty()) return;
    const auto loaded = ops::load_config(r.config);
    if (!loaded.value) throw std::runtime_error{loaded.problems.front().to_string()};
    if (r.allowlist.empty()) r.allowlist = loaded.value->allowlist;
    r.approvals = loaded.value->approvals;
    r.site = loaded.value->network.site;
    if (r.approvals == 0) return;
    r.longest = loaded.value->grant_for;
    if (r.audience.empty()) r.audience = loaded.value->audience;
    if (r.key.empty()) throw std::runtime_error{"this allowlist must be approved; give --key"};
}

// Loads the whole policy with the new entry and prints its problems; without rules when it does not load.
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

// The statement to sign for the grant, with the list's current serial.
std::string statement_of(const request& r, const std::pair<std::string, std::string>& file, std::uint64_t serial, wall_time made)
{
    ops::grant_statement out;
    out.audience = audience_of(r.audience, {}, manifest_beside(r.allowlist));
    out.base = serial;
    out.made = made;
    out.not_after = r.what.expires;
    out.file = {ops::sha256_of(file.second), std::filesystem::path{file.first}.filename().string()};
    return out.to_text();
}

int grant_it(request& r)
{
    look_up(r);
    const auto lasts = ops::parse_duration(r.lasts);
    if (!lasts || *lasts < limits::grant_least || *lasts > r.longest)
        throw std::runtime_error{fmt::format(
            "--for must be from 1m to {}, such as 4h; the grant ends then",
            r.longest == limits::grant_ahead
                ? std::string{"31d"}
                : fmt::format("{} minutes, as [policy] grant_for says", std::chrono::floor<std::chrono::minutes>(r.longest).count()))};
    const auto made = net::wall_now();
    r.what.expires = made + std::chrono::floor<std::chrono::seconds>(*lasts);
    const auto directory = ops::parts_directory(r.allowlist);
    const std::pair file{directory + "/" + r.what.name + ".toml", r.what.to_toml()};
    if (std::filesystem::exists(file.first))
        throw std::runtime_error{file.first + ": is there already; remove it, or choose another --entry"};
    std::optional<ops::private_key> key;
    if (!r.key.empty()) key = key_at(r.key, r.passphrase_file);
    if (key) require_counting(r.config, *key, audience_of(r.audience, {}, manifest_beside(r.allowlist)));
    const auto policy = tried(r, file);
    if (!policy.rules) return failure;
    std::error_code failed;
    const auto statement = key ? statement_of(r, file, policy.lists.front().serial, made) : std::string{};
    std::filesystem::create_directory(directory, failed);
    if (key) add_signature(file.first + std::string{ops::grant_suffix}, statement, *key); // first, or the file would be ignored
    write(file.first, file.second);
    if (r.approvals > 1) {
        print_out("{}: has 1 of {} approvals and opens nothing yet; the next is 'exeat sign --key KEY {}'; its end is {}\n",
                  ops::one_line(file.first), r.approvals, ops::one_line(file.first), ops::utc(r.what.expires));
        return success;
    }
    print_out("{}: open until {}; {}\n", ops::one_line(file.first), ops::utc(r.what.expires),
              key ? "'exeat revoke' ends it before" : "remove the file to end it before");
    return success;
}

} // namespace

int grant(int argc, char** argv)
{
    CLI::App app{
        "Opens hosts for a while: writes one entry with its end into allowlist.d, beside the allowlist, signed where --key is given,\n"
        "with a statement of its own beside it.\n"
        "Nothing is written unless the whole policy with it passes 'exeat check' without an error.\n"
        "Example: exeat grant --config exeat.toml --entry paper-figures --for 4h --host figures.test --group training --reason "
        "'camera-ready'",
        "exeat grant"};
    request r;
    app.add_option("--config", r.config, "exeat.toml: which allowlist, and whether it must be approved")->type_name("FILE");
    app.add_option("--allowlist", r.allowlist, "the allowlist, in place of the configuration's")->type_name("FILE");
    app.add_option("--entry", r.what.name, "the entry's name, and the file's")->required();
    app.add_option("--for", r.lasts,
                   "how long: 30m, 4h, 7d; 31d at most, and where lists must be approved 24h, or as [policy] grant_for says")
        ->required()
        ->type_name("DURATION");
    app.add_option("--host", r.what.hosts, "a host; may be repeated")->required()->allow_extra_args(false);
    app.add_option("--group", r.what.groups, "who; may be repeated; every group without it")->allow_extra_args(false);
    app.add_option("--port", r.what.ports, "in place of the protocol's; may be repeated")->allow_extra_args(false);
    app.add_option("--protocol", r.what.protocol, "tls (default), http or tcp");
    app.add_option("--purpose", r.what.purpose, "pull (default), api or telemetry");
    app.add_option("--owner", r.what.owner, "who answers for it");
    app.add_option("--reason", r.what.reason, "why")->required();
    app.add_option("--ticket", r.what.ticket, "where it was asked for");
    app.add_option("--key", r.key, "the private key that approves it: a PEM file, or a pkcs11: URI")->type_name("KEY");
    app.add_option("--audience", r.audience, "the environment that is signed for; otherwise as --config, or the list's manifest, says")
        ->type_name("NAME");
    app.add_option("--passphrase-file", r.passphrase_file, "its first line is the key's passphrase or PIN")->type_name("FILE");
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    if (r.config.empty() && r.allowlist.empty()) {
        print_error("exeat grant: give --config or --allowlist\n");
        return wrong_usage;
    }
    return grant_it(r);
}

} // namespace exeat::cli
