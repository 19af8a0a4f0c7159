#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <cli/signing/signatures.hpp>
#include <cli/signing/statements.hpp>
#include <exeat/limits.hpp>
#include <net/wall_clock.hpp>
#include <ops/approvals/grant_statement.hpp>
#include <ops/approvals/signed_list.hpp>
#include <ops/files/file_source.hpp>
#include <ops/policy/part_files.hpp>
#include <ops/settings/load_config.hpp>
#include <ops/text/utc.hpp>

#include <filesystem>
#include <fmt/core.h>
#include <stdexcept>

namespace exeat::cli {

namespace {

namespace fs = std::filesystem;

struct request {
    std::string what, config, allowlist, audience, until, reason, key, passphrase_file;
};

// The list that the file belongs to; the revocation is written beside it.
std::string list_of(const request& r)
{
    if (!r.allowlist.empty()) return r.allowlist;
    if (!r.config.empty()) {
        const auto loaded = ops::load_config(r.config);
        if (!loaded.value) throw std::runtime_error{loaded.problems.front().to_string()};
        return loaded.value->allowlist;
    }
    if (ops::is_hexadecimal(r.what, ops::digest_digits))
        throw std::runtime_error{"beside which list is it to be written? Give --config or --allowlist"};
    return allowlist_of(r.what);
}

std::string digest_of(const request& r)
{
    if (ops::is_hexadecimal(r.what, ops::digest_digits)) return r.what;
    const auto text = ops::read_whole(r.what, limits::allowlist_bytes);
    if (!text) throw std::runtime_error{r.what + ": " + text.error() + "; or give the SHA-256 that its statement names"};
    return ops::sha256_of(*text);
}

// How long the revoked file could open anything: a grant until its end, a part until the end of the list.
wall_time end_of(const request& r, const std::string& allowlist)
{
    if (!r.until.empty()) {
        const auto t = ops::parse_utc(r.until);
        if (!t || ops::utc(*t) != r.until || *t <= net::wall_now())
            throw std::runtime_error{"--until must be a time to come, as in 2026-12-24T00:00:00Z"};
        return *t;
    }
    const auto grant = r.what + std::string{ops::grant_suffix};
    if (fs::exists(grant)) {
        const auto there = signed_before(grant);
        const auto what = ops::read_grant(there->statement);
        if (!what) throw std::runtime_error{grant + ": " + what.error() + "; give --until"};
        return std::max(what->not_after,
                        net::wall_now() + std::chrono::seconds{limits::grant_ahead}); // the signatures of that end are not checked here
    }
    ops::label_registry labels;
    ops::load_options with;
    with.without_grants = true;
    const auto loaded = ops::load_allowlist(allowlist, labels, net::wall_now(), with);
    if (!loaded.rules || loaded.lists.front().expires == never)
        throw std::runtime_error{"until when? The list does not say when it ends; give --until 2026-12-24T00:00:00Z"};
    return loaded.lists.front().expires;
}

// A bad manifest must not delay a revocation.
std::optional<ops::manifest> readable_manifest(const std::string& allowlist)
{
    try {
        return manifest_beside(allowlist);
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

int revoke_it(const request& r)
{
    const auto allowlist = list_of(r);
    ops::revocation what;
    const auto manifest = readable_manifest(allowlist);
    what.audience = audience_of(r.audience, r.config, manifest);
    what.what = {digest_of(r), end_of(r, allowlist)};
    what.reason = r.reason;
    if (manifest && manifest->list.sha256 == what.what.sha256)
        throw std::runtime_error{r.what + ": is the list itself, and all of it would be closed; revoke a grant or a part, or sign a list "
                                          "with less in it"};
    if (r.reason.empty() || !ops::is_free_text(r.reason)) throw std::runtime_error{"--reason must be one line of text"};
    const auto key = key_at(r.key, r.passphrase_file);
    require_counting(r.config, key, what.audience);
    const auto directory = ops::parts_directory(allowlist);
    std::error_code failed;
    fs::create_directory(directory, failed);
    const auto path = fmt::format("{}/{}{}", directory, what.what.sha256.substr(0, limits::key_id_digits), ops::revocation_suffix);
    add_signature(path, what.to_text(), key);
    print_out("{}: what the file with this SHA-256 allows is closed until {}\n", ops::one_line(path), ops::utc(what.what.until));
    return success;
}

} // namespace

int revoke(int argc, char** argv)
{
    CLI::App app{"Takes a grant or a part of the list back: what it allows is closed within seconds, and stays closed over restarts and\n"
                 "whoever puts it back. One trusted key is enough, for it can only narrow: what the file denies goes on.\n"
                 "Example: exeat revoke --config exeat.toml --key alice.key --reason 'wrong host' allowlist.d/figures.toml",
                 "exeat revoke"};
    request r;
    app.add_option("FILE", r.what, "the grant's or part's file, or its SHA-256")->required();
    app.add_option("--config", r.config, "exeat.toml: its allowlist and audience")->type_name("FILE");
    app.add_option("--allowlist", r.allowlist, "the list beside which the revocation is written; otherwise the file's")->type_name("FILE");
    app.add_option("--audience", r.audience, "the environment it is for; otherwise as --config, or the list's manifest, says")
        ->type_name("NAME");
    app.add_option("--until", r.until, "when it ends; otherwise with the grant, or with the list")->type_name("TIME");
    app.add_option("--reason", r.reason, "why")->required();
    app.add_option("--key", r.key, "a trusted private key: a PEM file, or a pkcs11: URI")->required()->type_name("KEY");
    app.add_option("--passphrase-file", r.passphrase_file, "its first line is the key's passphrase or PIN")->type_name("FILE");
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    return revoke_it(r);
}

} // namespace exeat::cli
