#include <cli/output.hpp>
#include <cli/signing/passphrase.hpp>
#include <cli/signing/signatures.hpp>

#include <exeat/limits.hpp>
#include <ops/files/file_source.hpp>
#include <ops/files/replace_file.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/core.h>
#include <stdexcept>

namespace exeat::cli {

namespace {

// The existing signatures, if they are for the same statement.
ops::signed_text beside(const std::string& path, const std::string& statement)
{
    auto there = signed_before(path);
    if (there && there->statement == statement) return *std::move(there);
    if (there && !there->by.empty())
        print_out("{}: dropping {}: what was signed has changed since\n", ops::one_line(path),
                  there->by.size() == 1 ? std::string{"1 signature"} : fmt::format("{} signatures", there->by.size()));
    return {{}, statement};
}

void add(ops::signed_text& to, const ops::private_key& key)
{
    const auto id = key.id();
    if (id.empty()) throw std::runtime_error{"the key does not say its public half, which names it"};
    if (std::any_of(to.by.begin(), to.by.end(), [&](const auto& a) { return a.key == id; }))
        throw std::runtime_error{id + " has signed this already; another key must"};
    const auto signature = key.sign(to.statement);
    if (!signature) throw std::runtime_error{signature.error()};
    to.by.push_back({id, *signature});
}

} // namespace

std::optional<ops::signed_text> signed_before(const std::string& path)
{
    std::error_code failed;
    if (!std::filesystem::exists(path, failed)) return std::nullopt;
    const auto text = ops::read_whole(path, limits::statement_bytes);
    if (!text) throw std::runtime_error{path + ": " + text.error()};
    auto there = ops::read_signed(*text);
    if (!there) throw std::runtime_error{path + ": " + there.error() + "; remove it to begin anew"};
    return *std::move(there);
}

void add_signature(const std::string& path, const std::string& statement, const ops::private_key& key)
{
    auto signatures = beside(path, statement);
    add(signatures, key);
    if (const auto failed = ops::replace_file(path, signatures.to_text(), ops::readers::all))
        throw std::runtime_error{path + ": " + failed.message()};
    print_out("{}: signed by {}; {} now\n{}", ops::one_line(path), signatures.by.back().key,
              signatures.by.size() == 1 ? std::string{"1 signature"} : fmt::format("{} signatures", signatures.by.size()), statement);
}

ops::private_key key_at(const std::string& where, const std::string& passphrase_file)
{
    auto key = ops::private_key::read(where, read_passphrase(passphrase_file));
    if (!key) throw std::runtime_error{key.error()};
    return std::move(*key);
}

} // namespace exeat::cli
