#include <ops/approvals/beside_list.hpp>

#include <exeat/limits.hpp>
#include <net/wall_clock.hpp>
#include <ops/approvals/signed_list.hpp>
#include <ops/files/file_source.hpp>
#include <ops/policy/part_files.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view list_suffix = ".toml";

watched_file urgent(std::string path)
{
    watched_file f{std::move(path)};
    f.urgent = true;
    return f;
}

std::size_t trusted_signatures(const signed_text& s, const approval_rules& rules)
{
    return static_cast<std::size_t>(
        std::count_if(s.by.begin(), s.by.end(), [&](const approval& a) { return rules.find(a.key) != nullptr; }));
}

// Reads a revocation that is valid here, or returns why it is not.
boost::system::result<revocation, std::string> read_counting(const std::string& path, const approval_rules& rules)
{
    const auto text = read_whole(path, limits::short_statement_bytes);
    if (!text) return "cannot be read: " + text.error();
    const auto read = read_signed(*text);
    if (!read) return read.error() + "; 'exeat revoke' writes this file";
    auto what = read_revocation(read->statement);
    if (!what) return what.error() + "; 'exeat revoke' writes this file";
    if (auto wrong = audience_objection(what->audience, rules); !wrong.empty()) return wrong;
    if (const auto by = check_approvals(*read, rules, 1); !by) return "is not approved: " + by.error();
    return what;
}

} // namespace

struct beside_list::asked {
    const manifest& under;
    const approval_rules& rules;
    const revoked_memory& revoked;
    std::chrono::seconds longest;
    wall_time now;
};

beside_list::beside_list(const std::string& allowlist, std::vector<watched_file>& files) : directory_{parts_directory(allowlist)}
{
    files.push_back(urgent(directory_ + "/."));
    std::error_code failed;
    for (fs::directory_iterator at{directory_, failed}, end; !failed && at != end; at.increment(failed)) {
        auto name = at->path().filename().string();
        if (name.starts_with('.')) continue;
        auto* to = name.ends_with(list_suffix)         ? &lists_
                   : name.ends_with(grant_suffix)      ? &grants_
                   : name.ends_with(revocation_suffix) ? &revocations_
                                                       : nullptr;
        if (to != nullptr) to->push_back(std::move(name));
    }
    for (auto* names : {&lists_, &grants_, &revocations_}) std::sort(names->begin(), names->end());
    for (const auto& name : revocations_) files.push_back(urgent(path_of(name)));
    for (const auto& name : grants_) {
        files.push_back(urgent(path_of(name)));
        files.push_back(urgent(path_of(name.substr(0, name.size() - grant_suffix.size()))));
    }
}

void beside_list::ignore(ignored_why why, const std::string& name, std::string text)
{
    (why == ignored_why::revocation ? bad_revocations_ : bad_grants_).push_back({why, path_of(name), std::move(text)});
}

void beside_list::ignore_grant(const std::string& path, std::string text)
{
    bad_grants_.push_back({ignored_why::grant, path, std::move(text)});
}

std::vector<ignored_file> beside_list::ignored() const
{
    auto out = bad_revocations_;
    out.insert(out.end(), bad_grants_.begin(), bad_grants_.end());
    return out;
}

std::vector<revoked_digest> beside_list::revocations(const approval_rules& rules, wall_time now)
{
    std::vector<revoked_digest> out;
    bad_revocations_.clear();
    for (const auto& name : revocations_) {
        auto read = read_counting(path_of(name), rules);
        if (!read) ignore(ignored_why::revocation, name, read.error());
        else if (now < read->what.until) out.push_back(std::move(read->what));
    }
    return out;
}

std::vector<approved_list> beside_list::grants(const manifest& under, const approval_rules& rules, const revoked_memory& revoked,
                                               std::chrono::seconds longest, wall_time now)
{
    const auto parts = fs::path{directory_}.filename();
    const auto named = [&](const std::string& name) {
        return std::any_of(under.parts.begin(), under.parts.end(), [&](const named_file& p) { return p.name == (parts / name).string(); });
    };
    const auto there = [](const std::vector<std::string>& all, const std::string& name) {
        return std::binary_search(all.begin(), all.end(), name);
    };
    const asked by{under, rules, revoked, longest, now};
    std::vector<approved_list> out;
    bad_grants_.clear();
    for (const auto& name : lists_)
        if (!named(name) && !there(grants_, name + std::string{grant_suffix}))
            ignore(ignored_why::unnamed, name, "is named by no manifest and has no grant's statement; remove it, or sign the list with it");
    for (const auto& name : grants_) {
        const auto list = name.substr(0, name.size() - grant_suffix.size());
        if (named(list)) ignore(ignored_why::grant, name, "is of a file that the manifest names as a part; remove it");
        else if (!there(lists_, list))
            ignore(ignored_why::grant, name, fmt::format("is of {}, which is not there; put it there, or remove this", list));
        else read_grant_of(list, by, out);
    }
    return out;
}

void beside_list::read_grant_of(const std::string& name, const asked& by, std::vector<approved_list>& out)
{
    const auto refuse = [&](std::string text, ignored_why why = ignored_why::grant) { ignore(why, name, std::move(text)); };
    const auto text = read_whole(path_of(name + std::string{grant_suffix}), limits::short_statement_bytes);
    if (!text) return refuse("its statement: " + text.error());
    const auto read = read_signed(*text);
    const auto what = read ? read_grant(read->statement) : boost::system::result<grant_statement, std::string>{read.error()};
    if (!what) return refuse("its statement: " + what.error() + "; 'exeat grant' writes it");
    if (auto wrong = audience_objection(what->audience, by.rules); !wrong.empty()) return refuse(std::move(wrong));
    auto approved = check_approvals(*read, by.rules, by.rules.needed);
    if (!approved && check_approvals(*read, by.rules, 0) && trusted_signatures(*read, by.rules) > 0)
        return refuse("has " + approved.error(), ignored_why::waiting);
    if (!approved) return refuse("is not approved: " + approved.error());
    auto content = read_whole(path_of(name), limits::list_part_bytes);
    if (!content) return refuse("cannot be read: " + content.error());
    if (what->file.name != name || what->file.sha256 != sha256_of(*content))
        return refuse("is not the file that was granted; put back what was signed, or grant again");
    if (by.revoked.holds(what->file.sha256, net::wall_earliest(by.now))) return refuse("was revoked; remove it", ignored_why::revoked);
    if (what->not_after <= by.now) return; // it has ended as planned
    if (auto wrong = grant_objection(*what, by.under.serial, by.longest, by.now); !wrong.empty()) return refuse(std::move(wrong));
    if (out.size() == limits::list_parts) return refuse(fmt::format("more than {} grants hold; remove some", limits::list_parts));
    out.push_back({list_kind::grant, path_of(name), std::move(*content), what->file.sha256, std::move(*approved), what->not_after, false});
}

} // namespace exeat::ops
