#include <cli/command.hpp>
#include <cli/loaded_files.hpp>
#include <cli/parse_arguments.hpp>
#include <cli/passphrase.hpp>
#include <exeat/limits.hpp>
#include <ops/file_source.hpp>
#include <ops/replace_file.hpp>
#include <ops/signing_key.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/core.h>
#include <stdexcept>

namespace exeat::cli {

namespace {

// The signatures that are there already, when they are of the same content.
ops::signed_statement beside(const std::string& path, const ops::approval_statement& what)
{
    ops::signed_statement none{what, {}};
    std::error_code failed;
    if (!std::filesystem::exists(path, failed)) return none;
    const auto text = ops::read_whole(path, limits::signature_file_bytes);
    if (!text) throw std::runtime_error{path + ": " + text.error()};
    auto there = ops::read_signatures(*text);
    if (!there) throw std::runtime_error{path + ": " + there.error() + "; remove it to begin anew"};
    if (there->what == what) return *std::move(there);
    fmt::print("{}: its {} of serial {} are of another content and go\n", path, there->by.size() == 1 ? "signature" : "signatures",
               there->what.serial);
    return none;
}

void add(ops::signed_statement& to, const ops::private_key& key)
{
    const auto id = key.id();
    if (id.empty()) throw std::runtime_error{"the key does not say its public half, which names it"};
    if (std::any_of(to.by.begin(), to.by.end(), [&](const auto& a) { return a.key == id; }))
        throw std::runtime_error{id + " has signed this already; another key must"};
    const auto signature = key.sign(to.what.to_text());
    if (!signature) throw std::runtime_error{signature.error()};
    to.by.push_back({id, *signature});
}

int sign_list(const std::string& path, const ops::private_key& key)
{
    const auto files = load_files({}, path);
    for (const auto& p : files.problems) fmt::print(stderr, "{}\n", p.to_string());
    if (!files.list.rules) return failure;
    if (files.list.rules->settings().expires == never)
        throw std::runtime_error{path + ": an approved list must say how long it holds; add expires = 2027-01-01T00:00:00Z"};
    const auto to = path + ".sig";
    auto signatures = beside(to, files.list.statement);
    add(signatures, key);
    if (const auto failed = ops::replace_file(to, signatures.to_text(), ops::readers::all))
        throw std::runtime_error{to + ": " + failed.message()};
    fmt::print("{}: signed by {}; {} now\n{}", to, signatures.by.back().key,
               signatures.by.size() == 1 ? std::string{"1 signature"} : fmt::format("{} signatures", signatures.by.size()),
               signatures.what.to_text());
    return success;
}

} // namespace

int sign(int argc, char** argv)
{
    CLI::App app{"Approves an allowlist: adds a signature over its bytes, its serial and its hosts files to ALLOWLIST.sig.\n"
                 "Only what 'exeat check' has no error in is signed. Read 'exeat diff' before you do.\n"
                 "Example: exeat sign --key alice.key allowlist.toml",
                 "exeat sign"};
    std::string key_at, passphrase_file, allowlist;
    app.add_option("--key", key_at, "a private key: a PEM file, or a pkcs11: URI")->required()->type_name("KEY");
    app.add_option("--passphrase-file", passphrase_file, "its first line is the key's passphrase or PIN")->type_name("FILE");
    app.add_option("ALLOWLIST", allowlist, "the list")->required();
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    const auto key = ops::private_key::read(key_at, read_passphrase(passphrase_file));
    if (!key) throw std::runtime_error{key.error()};
    return sign_list(allowlist, *key);
}

} // namespace exeat::cli
