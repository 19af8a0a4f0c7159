#include <ops/policy/compile_allowlist.hpp>

#include <exeat/limits.hpp>
#include <net/random_seed.hpp>
#include <ops/text/host_text.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace exeat::ops {

allowlist_compiler::allowlist_compiler(std::vector<watched_file>& files, bool require_end, const approved_files* approved)
    : files_{files}, require_end_{require_end}, approved_{approved}, builder_{net::random_seed()}
{}

void allowlist_compiler::take_text(std::string_view of_the_allowlist) { digest_.take(of_the_allowlist); }

void allowlist_compiler::take_digest(const sha256_digest::value& of_a_part) { digest_.take(of_a_part); }

void allowlist_compiler::add(list_part& p)
{
    for (auto& g : p.draft.groups) {
        groups_.push_back(g.name);
        builder_.add_group(g);
    }
    for (auto& e : p.draft.entries) add_entry(p, e);
}

void allowlist_compiler::add_entry(list_part& p, entry& e)
{
    rules_.emplace_back(e.value.name, e.value.purpose);
    const auto index = builder_.add_rule(e.value);
    for (const auto& host : e.hosts) add_host(index, host.pattern, p.wrong);
    for (const auto& n : e.networks) add_network(index, n.network, p.wrong);
    e.hosts = {};
    if (!e.hosts_file.empty()) add_hosts_file(p, index, e);
}

// When approval is required, a file without it is not read.
bool allowlist_compiler::hold_to_approval(const std::string& path, hosts_file_options& with, diagnostics& wrong)
{
    if (approved_ == nullptr) return true;
    const auto named = approved_->hosts_files.find(std::filesystem::path{path}.lexically_normal().string());
    if (named == approved_->hosts_files.end()) {
        wrong.error({}, "is not in the manifest; sign the list as it is now");
        unapproved_ = true;
        return false;
    }
    with.sha256 = named->second.sha256;
    with.read_from = named->second.read_from;
    with.unapproved = &unapproved_;
    return true;
}

void allowlist_compiler::add_hosts_file(list_part& p, rule_index index, const entry& e)
{
    files_.emplace_back(e.hosts_file);
    std::error_code failed;
    if (approved_ == nullptr && !std::filesystem::exists(e.hosts_file, failed))
        return p.wrong.error(e.hosts_file_at, fmt::format("hosts_file {} of {} cannot be opened: No such file or directory; put the file "
                                                          "beside the allowlist, or remove the key",
                                                          as_shown(e.hosts_file), as_shown(e.value.name)));
    auto& wrong = hosts_files_.emplace_back(e.hosts_file, limits::hosts_file_problems);
    const host_taker take = [&](const host_pattern& host) {
        auto objection = objection_to(host, e);
        if (objection.empty()) add_host(index, host, wrong);
        return objection;
    };
    content_trace said;
    hosts_file_options with{.require_end = require_end_, .said = &said};
    if (e.value.kind == rule_kind::deny) with.take_network = [&](const ip_prefix& n) { add_network(index, n, wrong); };
    if (!hold_to_approval(e.hosts_file, with, wrong)) return;
    const auto before = names_;
    const auto digest = read_hosts_file(e.hosts_file, take, wrong, with);
    files_.back().content = std::make_shared<const content_trace>(std::move(said));
    digest_.take(digest);
    p.hosts_files.push_back({e.hosts_file, hexadecimal(digest)});
    if (names_ == before && !wrong.failed()) wrong.error({}, "names no host; write one name a line or remove hosts_file");
}

void allowlist_compiler::add_host(rule_index index, const host_pattern& host, diagnostics& wrong)
{
    if (room_for_one(wrong)) builder_.add_host(index, host);
}

void allowlist_compiler::add_network(rule_index index, const ip_prefix& network, diagnostics& wrong)
{
    if (room_for_one(wrong)) builder_.add_network(index, network);
}

bool allowlist_compiler::room_for_one(diagnostics& wrong)
{
    if (++names_ == limits::names + 1) wrong.error({}, fmt::format("more than {} hosts in all; name fewer", limits::names));
    return names_ <= limits::names;
}

bool allowlist_compiler::failed() const
{
    return std::any_of(hosts_files_.begin(), hosts_files_.end(), [](const diagnostics& f) { return f.failed(); });
}

std::shared_ptr<const policy> allowlist_compiler::finish(policy_settings settings, label_registry& labels, diagnostics& wrong) &&
{
    const auto digest = digest_.finish();
    if (!digest) {
        wrong.error({}, "its SHA-256 could not be taken; check the OpenSSL installation");
        return nullptr;
    }
    settings.sha256 = hexadecimal(*digest);
    for (std::size_t i = 0; i < groups_.size(); ++i) builder_.group_at(i).slot = labels.group_slot(groups_[i]);
    for (rule_index i = 0; i < rules_.size(); ++i) builder_.rule_at(i).slot = labels.rule_slot(rules_[i].first, rules_[i].second);
    auto out = std::make_shared<const policy>(std::move(builder_).finish(std::move(settings)));
    if (const auto& host = out->names().crowded(); !host.empty()) {
        wrong.error({}, fmt::format("more than {} entries name {}; name the groups of one entry instead", limits::entries_of_host, host));
        return nullptr;
    }
    return out;
}

void allowlist_compiler::tell_of_hosts_files(std::vector<problem>& out)
{
    for (auto& f : hosts_files_) f.move_to(out);
}

} // namespace exeat::ops
