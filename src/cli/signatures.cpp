#include <cli/output.hpp>
#include <cli/signatures.hpp>

#include <exeat/limits.hpp>
#include <ops/file_source.hpp>
#include <ops/replace_file.hpp>

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
    print_out("{}: its {} of serial {} are of another content and go\n", ops::one_line(path),
              there->by.size() == 1 ? "signature" : "signatures", there->what.serial);
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

} // namespace

void add_signature(const std::string& path, const ops::approval_statement& what, const ops::private_key& key)
{
    auto signatures = beside(path, what);
    add(signatures, key);
    if (const auto failed = ops::replace_file(path, signatures.to_text(), ops::readers::all))
        throw std::runtime_error{path + ": " + failed.message()};
    print_out("{}: signed by {}; {} now\n{}", ops::one_line(path), signatures.by.back().key,
              signatures.by.size() == 1 ? std::string{"1 signature"} : fmt::format("{} signatures", signatures.by.size()),
              signatures.what.to_text());
}

} // namespace exeat::cli
