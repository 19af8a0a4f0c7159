#include <ops/approvals/signed_list.hpp>

#include <exeat/limits.hpp>
#include <ops/files/file_source.hpp>
#include <ops/policy/part_files.hpp>
#include <ops/policy/verified_file.hpp>
#include <ops/text/digest.hpp>

#include <filesystem>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

namespace fs = std::filesystem;
using outcome = boost::system::result<signed_list, problem>;

problem refusal(const std::string& path, std::string text) { return {path, 0, 0, problem::weight::error, std::move(text)}; }

std::string not_there(const std::string& allowlist, const std::string& why)
{
    std::error_code failed;
    const auto name = fs::path{allowlist}.filename().string();
    if (fs::exists(allowlist + ".sig", failed))
        return fmt::format(
            "{}; signatures in {}.sig no longer count: 'exeat sign --audience NAME --key KEY {}' writes one manifest for the "
            "list, its parts and its hosts files, and the .sig files can go",
            why, name, name);
    return fmt::format("{}. The list must be approved: 'exeat sign' writes this file", why);
}

// Checks the names in the manifest against each other and against the list.
std::string name_objection(const manifest& m, const std::string& allowlist)
{
    const auto name = fs::path{allowlist}.filename().string();
    const auto directory = fs::path{parts_directory(allowlist)}.filename();
    if (m.list.name != name) return fmt::format("is of {}, and the list here is {}; sign this one", m.list.name, name);
    for (const auto& p : m.parts)
        if (const fs::path part{p.name};
            part.parent_path() != directory || part.extension() != ".toml" || part.filename().string().front() == '.')
            return fmt::format("names the part {}, which is not a file NAME.toml of {}; sign again", p.name, directory.string());
    return {};
}

// Checks the signatures and the statement itself; the files are not read yet.
outcome read_statement(const std::string& path, const std::string& allowlist, const approval_rules& rules)
{
    const auto text = read_whole(path, limits::statement_bytes);
    if (!text) return refusal(path, not_there(allowlist, text.error()));
    auto read = read_signed(*text);
    if (!read) return refusal(path, read.error() + "; 'exeat sign' writes this file");
    auto what = read_manifest(read->statement);
    if (!what) return refusal(path, what.error() + "; 'exeat sign' writes this file");
    signed_list out{std::move(*what), std::move(*read), {}, {}, {}};
    if (auto wrong = audience_objection(out.what.audience, rules); !wrong.empty()) return refusal(path, std::move(wrong));
    auto by = check_approvals(out.text, rules, rules.needed);
    if (!by) return refusal(path, by.error());
    if (auto wrong = name_objection(out.what, allowlist); !wrong.empty()) return refusal(path, std::move(wrong));
    out.approved_by = std::move(*by);
    out.sha256 = sha256_of(out.text.statement);
    if (out.sha256.empty()) return refusal(path, "its SHA-256 could not be taken; check the OpenSSL installation");
    return out;
}

} // namespace

std::string manifest_of(const std::string& allowlist) { return allowlist + std::string{manifest_suffix}; }

std::string beside_allowlist(const std::string& allowlist, std::string_view name)
{
    return (fs::path{allowlist}.parent_path() / name).lexically_normal().string();
}

std::string sha256_of(std::string_view bytes)
{
    sha256_digest digest;
    digest.take(bytes);
    const auto value = digest.finish();
    return value ? hexadecimal(*value) : std::string{};
}

outcome read_signed_list(const std::string& manifest_path, const std::string& allowlist, const approval_rules& rules,
                         const file_place& place)
{
    auto out = read_statement(manifest_path, allowlist, rules);
    if (!out) return out;
    const auto add = [&](list_kind kind, const named_file& file, std::size_t most) {
        const auto path = kind == list_kind::allowlist ? allowlist : beside_allowlist(allowlist, file.name);
        auto text = read_verified(place(file), most, file.sha256);
        if (!text) return refusal(path, fmt::format("{} (named by {})", text.error(), fs::path{manifest_path}.filename().string()));
        out->files.lists.push_back({kind, path, std::move(*text), file.sha256, out->approved_by, never, false});
        return problem{};
    };
    if (auto wrong = add(list_kind::allowlist, out->what.list, limits::allowlist_bytes); !wrong.text.empty()) return wrong;
    for (const auto& p : out->what.parts)
        if (auto wrong = add(list_kind::part, p, limits::list_part_bytes); !wrong.text.empty()) return wrong;
    for (const auto& h : out->what.hosts_files) out->files.hosts_files[beside_allowlist(allowlist, h.name)] = {place(h), h.sha256};
    return out;
}

} // namespace exeat::ops
