#include <cli/command.hpp>
#include <cli/loaded_files.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <cli/passphrase.hpp>
#include <cli/signatures.hpp>
#include <ops/part_files.hpp>
#include <ops/signing_key.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/core.h>
#include <stdexcept>

namespace exeat::cli {

namespace {

// The allowlist that a file of allowlist.d is beside; otherwise the file itself.
std::string allowlist_of(const std::string& path)
{
    const auto above = std::filesystem::path{path}.parent_path();
    if (above.extension() != ".d") return path;
    auto allowlist = above;
    allowlist.replace_extension(".toml");
    return ops::parts_directory(allowlist.string()) == above.string() && std::filesystem::exists(allowlist) ? allowlist.string() : path;
}

int sign_list(const std::string& path, const ops::private_key& key)
{
    const auto files = load_files({}, allowlist_of(path));
    for (const auto& p : files.problems) print_error("{}\n", p.to_string());
    if (!files.list.rules) return failure;
    const auto& lists = files.list.lists;
    const auto list = std::find_if(lists.begin(), lists.end(), [&](const auto& l) { return std::filesystem::equivalent(l.path, path); });
    if (list == lists.end()) throw std::runtime_error{path + ": is no part of " + files.allowlist};
    if (list->expires == never)
        throw std::runtime_error{path + ": what is approved must say how long it holds; add expires = 2027-01-01T00:00:00Z"};
    add_signature(path + ".sig", list->statement, key);
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
