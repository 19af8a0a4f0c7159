#include <cli/command.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <cli/signing/signatures.hpp>
#include <cli/signing/statements.hpp>
#include <net/wall_clock.hpp>
#include <ops/approvals/grant_statement.hpp>
#include <ops/approvals/signed_list.hpp>
#include <ops/files/file_source.hpp>
#include <ops/policy/part_files.hpp>

#include <algorithm>
#include <exeat/limits.hpp>
#include <filesystem>
#include <fmt/core.h>
#include <map>
#include <stdexcept>

namespace exeat::cli {

namespace {

namespace fs = std::filesystem;

struct request {
    std::string key, passphrase_file, path, audience, config;
};

std::string relative(const std::string& path, const std::string& allowlist)
{
    return fs::path{path}.lexically_normal().lexically_relative(fs::path{allowlist}.parent_path().lexically_normal()).string();
}

// The manifest of a list that loads.
ops::manifest manifest_for(const ops::loaded_allowlist& loaded, const std::string& allowlist)
{
    const auto& main = loaded.lists.front();
    ops::manifest out;
    out.serial = main.serial;
    out.list = {main.sha256, fs::path{allowlist}.filename().string()};
    std::map<std::string, std::string> hosts_files;
    for (const auto& l : loaded.lists) {
        if (l.kind == ops::list_kind::part) out.parts.push_back({l.sha256, relative(l.path, allowlist)});
        for (const auto& h : l.hosts_files) hosts_files[relative(h.path, allowlist)] = h.sha256;
    }
    std::sort(out.parts.begin(), out.parts.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    for (auto& [name, sha256] : hosts_files) out.hosts_files.push_back({sha256, name});
    return out;
}

// What the previous manifest and the revocations beside the list revoke, until it expires: once it is in the manifest, the revocations can
// be removed. The signer sees them.
std::vector<ops::revoked_digest> revoked_until_now(const std::string& allowlist, const std::optional<ops::manifest>& before,
                                                   const std::string& audience)
{
    std::map<std::string, wall_time> until;
    const auto take = [&](const ops::revoked_digest& r) {
        if (r.until > net::wall_now()) until[r.sha256] = std::max(until[r.sha256], r.until);
    };
    if (before && before->audience == audience)
        for (const auto& r : before->revoked) take(r);
    std::error_code failed;
    for (fs::directory_iterator at{ops::parts_directory(allowlist), failed}, end; !failed && at != end; at.increment(failed)) {
        if (!at->path().filename().string().ends_with(ops::revocation_suffix)) continue;
        const auto text = ops::read_whole(at->path().string(), limits::short_statement_bytes);
        const auto read = text ? ops::read_signed(*text) : boost::system::result<ops::signed_text, std::string>{text.error()};
        const auto what = read ? ops::read_revocation(read->statement) : boost::system::result<ops::revocation, std::string>{read.error()};
        if (!what) throw std::runtime_error{at->path().string() + ": " + what.error() + "; remove it"};
        if (what->audience == audience) take(what->what);
    }
    std::vector<ops::revoked_digest> out;
    for (const auto& [sha256, end] : until) out.push_back({sha256, end});
    return out;
}

// A revocation may expire between two signatures; it is still the same statement.
bool only_time_has_passed(ops::manifest before, const ops::manifest& now)
{
    const auto is_there = [&](const ops::revoked_digest& r) {
        return std::find(before.revoked.begin(), before.revoked.end(), r) != before.revoked.end();
    };
    const bool fewer = std::all_of(now.revoked.begin(), now.revoked.end(), is_there);
    before.revoked = now.revoked;
    return fewer && before == now;
}

int sign_list(const request& r, const ops::private_key& key)
{
    const auto loaded = load_to_sign(r.path);
    if (!loaded.rules) return failure;
    if (loaded.lists.front().expires == never)
        throw std::runtime_error{r.path + ": what is approved must say how long it holds; add expires = 2027-01-01T00:00:00Z"};
    if (loaded.lists.front().expires <= net::wall_now())
        throw std::runtime_error{r.path + ": has expired, and in force it would refuse everything; give it a later 'expires'"};
    const auto before = manifest_beside(r.path);
    auto what = manifest_for(loaded, r.path);
    what.audience = audience_of(r.audience, r.config, before);
    what.revoked = revoked_until_now(r.path, before, what.audience);
    for (auto& gone : what.revoked) // otherwise a part that is still named would open again before the list ends
        if (std::any_of(what.parts.begin(), what.parts.end(), [&](const ops::named_file& p) { return p.sha256 == gone.sha256; }))
            gone.until = std::max(gone.until, loaded.lists.front().expires);
    if (before && only_time_has_passed(*before, what)) what.revoked = before->revoked;
    if (before && before->audience == what.audience && before->serial == what.serial && *before != what)
        print_error("{}: warning: something has changed and serial {} has not; raise it, unless no exeat has taken that serial yet\n",
                    ops::one_line(r.path), what.serial);
    add_signature(ops::manifest_of(r.path), what.to_text(), key);
    return success;
}

int sign_grant(const request& r, const ops::private_key& key)
{
    const auto path = r.path + std::string{ops::grant_suffix};
    const auto there = signed_before(path);
    const auto what = ops::read_grant(there ? there->statement : std::string{});
    if (!what) throw std::runtime_error{path + ": " + what.error() + "; 'exeat grant' writes it"};
    const auto text = ops::read_whole(r.path, limits::list_part_bytes);
    if (!text) throw std::runtime_error{r.path + ": " + text.error()};
    if (ops::sha256_of(*text) != what->file.sha256 || what->file.name != fs::path{r.path}.filename().string())
        throw std::runtime_error{r.path + ": is not the file that " + path + " is of; grant again"};
    const auto wanted = r.audience.empty() && r.config.empty() ? what->audience : audience_of(r.audience, r.config, std::nullopt);
    if (wanted != what->audience) throw std::runtime_error{path + ": is for the audience " + what->audience + ", not " + wanted};
    add_signature(path, there->statement, key);
    print_out("{}", *text);
    return success;
}

} // namespace

int sign(int argc, char** argv)
{
    CLI::App app{"Approves a list: adds a signature to ALLOWLIST.manifest, which names the list, each part of allowlist.d and each hosts\n"
                 "file by its SHA-256, the serial and the environment. Or approves a grant of allowlist.d that 'exeat grant' has made.\n"
                 "Only what 'exeat check' has no error in is signed. Read 'exeat diff' before you do.\n"
                 "Example: exeat sign --key alice.key --audience production allowlist.toml",
                 "exeat sign"};
    request r;
    app.add_option("--key", r.key, "a private key: a PEM file, or a pkcs11: URI")->required()->type_name("KEY");
    app.add_option("--passphrase-file", r.passphrase_file, "its first line is the key's passphrase or PIN")->type_name("FILE");
    app.add_option("--audience", r.audience, "the environment it is for; otherwise as the manifest that is there, or --config, says")
        ->type_name("NAME");
    app.add_option("--config", r.config, "exeat.toml: its audience")->type_name("FILE");
    app.add_option("ALLOWLIST", r.path, "the list, or a grant's file in allowlist.d")->required();
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    const auto key = key_at(r.key, r.passphrase_file);
    const auto allowlist = allowlist_of(r.path);
    if (allowlist == r.path) return sign_list(r, key);
    if (fs::exists(r.path + std::string{ops::grant_suffix})) return sign_grant(r, key);
    throw std::runtime_error{fmt::format("{}: is a part of {}; sign that, and this with it", r.path, allowlist)};
}

} // namespace exeat::cli
