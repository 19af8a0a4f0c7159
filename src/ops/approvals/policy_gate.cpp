#include <ops/approvals/policy_gate.hpp>

#include <exeat/limits.hpp>
#include <net/wall_clock.hpp>
#include <ops/approvals/hold_to_manifest.hpp>
#include <ops/approvals/state_lock.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <stdexcept>

namespace exeat::ops {

namespace {

void refuse(loaded_allowlist& l, problem p, load_refusal why)
{
    l.problems.push_back(std::move(p));
    l.why = why;
    l.rules = nullptr;
}

problem error(const std::string& path, std::string text) { return {path, 0, 0, problem::weight::error, std::move(text)}; }

void watch(std::vector<watched_file>& files, const std::string& path)
{
    const auto known = std::any_of(files.begin(), files.end(), [&](const watched_file& f) { return f.path == path; });
    if (!known) files.emplace_back(path);
}

} // namespace

approval_rules read_approval_rules(const config& c)
{
    approval_rules out;
    for (const auto& path : c.trusted_keys) {
        auto key = public_key::read(path);
        if (!key) throw std::runtime_error{key.error()};
        if (const auto* same = out.find(key->id()))
            throw std::runtime_error{fmt::format("{} and {} are one key; trust each once", same->file(), path)};
        out.keys.push_back(std::move(*key));
    }
    out.needed = c.approvals;
    out.audience = c.audience;
    return out;
}

policy_gate::policy_gate(const config& c, use u)
    : allowlist_{c.allowlist}, require_end_{c.require_end}, site_{c.network.site}, pods_{!c.kubernetes.networks.empty()},
      grant_for_{c.grant_for}, use_{u}, rules_{read_approval_rules(c)}, state_{c.state}, accepted_{c.state}, revoked_{c.state}, store_{
                                                                                                                                    c.state}
{
    if (rules_.needed == 0) return;
    if (const auto wrong = accepted_.look(); !wrong.empty()) throw std::runtime_error{wrong};
    if (const auto wrong = revoked_.look(); !wrong.empty()) throw std::runtime_error{wrong};
}

std::string policy_gate::name_of_key(const std::string& id) const
{
    const auto* key = rules_.find(id);
    return key == nullptr ? std::string{} : std::filesystem::path{key->file()}.stem().string();
}

load_options policy_gate::options(scrutiny how) const
{
    load_options with{how};
    with.require_end = require_end_;
    with.site = site_;
    with.site_known = true;
    with.pods = pods_;
    return with;
}

loaded_allowlist policy_gate::load(label_registry& labels, wall_time now, scrutiny how)
{
    return rules_.needed == 0 ? load_allowlist(allowlist_, labels, now, options(how)) : load_signed(labels, now, how);
}

loaded_allowlist policy_gate::load_signed(label_registry& labels, wall_time now, scrutiny how)
{
    std::vector<watched_file> files;
    files.emplace_back(allowlist_); // first, as in every load
    files.emplace_back(manifest_of(allowlist_));
    beside_list beside{allowlist_, files};
    const asked of{labels, now, how, beside};
    for (auto wrong : {accepted_.look(), revoked_.look()})
        if (!wrong.empty()) {
            loaded_allowlist none;
            none.files = std::move(files);
            refuse(none, error(state_, std::move(wrong)), load_refusal::invalid);
            return none;
        }
    const bool room = revoked_.add(beside.revocations(rules_, net::wall_earliest(now)));
    revoked_.full(!room);
    auto out = load_disk(of, std::move(files));
    if (!out.rules && use_ == use::serve) stand_in(out, of);
    auto unwritten = use_ == use::serve ? revoked_.keep(net::wall_certain()) : std::string{};
    if (!room && unwritten.empty())
        unwritten = fmt::format("more than {} digests are revoked, and no more can be remembered", limits::revoked_digests);
    if (!unwritten.empty())
        out.approvals.copy_error = std::move(unwritten), out.approvals.copy_stored = false; // the copy would allow what was revoked
    out.approvals.revoked = revoked_.count(now);
    return out;
}

loaded_allowlist policy_gate::load_disk(const asked& of, std::vector<watched_file> files)
{
    const auto on_disk = [this](const named_file& f) { return beside_allowlist(allowlist_, f.name); };
    const auto list = read_signed_list(manifest_of(allowlist_), allowlist_, rules_, on_disk);
    loaded_allowlist out;
    if (!list) {
        refuse(out, list.error(), load_refusal::unapproved);
        out.files = std::move(files);
        return out;
    }
    for (const auto* named : {&list->what.parts, &list->what.hosts_files})
        for (const auto& f : *named) watch(files, beside_allowlist(allowlist_, f.name));
    revoked_.add(list->what.revoked);
    out = compile(*list, of);
    out.files = std::move(files);
    if (out.rules)
        if (auto wrong = accept(*list, out.approvals); !wrong.empty())
            refuse(out, error(manifest_of(allowlist_), std::move(wrong)), load_refusal::rollback);
    return out;
}

loaded_allowlist policy_gate::compile(const signed_list& list, const asked& of) const
{
    auto files = list.files;
    for (auto& f : files.lists) f.revoked = revoked_.holds(f.sha256, net::wall_earliest(of.now));
    for (auto& g : of.beside.grants(list.what, rules_, revoked_, grant_for_, of.now)) files.lists.push_back(std::move(g));
    auto with = options(of.how);
    with.approved = &files;
    auto out = load_allowlist(allowlist_, of.labels, of.now, with);
    if (!out.rules && files.lists.back().kind == list_kind::grant) out = without_bad_grants(files, std::move(out), with, of);
    hold_to_manifest(out, list.what, allowlist_);
    out.approvals.ignored = of.beside.ignored();
    for (const auto& i : out.approvals.ignored)
        out.problems.push_back({i.path, 0, 0, problem::weight::warning, fmt::format("is ignored: it {}", i.text)});
    return out;
}

// A grant that is invalid or does not fit is ignored. If the faulty grant cannot be identified, all grants are ignored.
loaded_allowlist policy_gate::without_bad_grants(approved_files files, loaded_allowlist out, const load_options& by, const asked& of) const
{
    auto with = by;
    with.approved = &files;
    for (const bool all : {false, true}) {
        const auto bad = [&](const approved_list& l) {
            if (l.kind != list_kind::grant) return false;
            const auto wrong = std::find_if(out.problems.begin(), out.problems.end(),
                                            [&](const problem& p) { return p.how == problem::weight::error && (all || p.file == l.path); });
            if (wrong == out.problems.end()) return false;
            of.beside.ignore_grant(l.path, "does not load: " + wrong->to_string());
            return true;
        };
        if (std::erase_if(files.lists, bad) == 0) continue;
        out = load_allowlist(allowlist_, of.labels, of.now, with);
        if (out.rules) break;
    }
    return out;
}

// A policy is stored before its serial is recorded, and recorded before it takes effect, so that a recorded policy can be served again.
std::string policy_gate::accept(const signed_list& l, approval_state& state)
{
    const accepted_policy next{l.what.serial, l.sha256};
    if (auto wrong = serial_objection(accepted_.last(), next); !wrong.empty()) return wrong;
    if (use_ == use::check) return {};
    if (stored_ != l.sha256) state.copy_error = store_.put_files(l);
    else if (state.copy_stored = true; accepted_.last() == next) return {};
    const state_lock hold{state_};
    if (!hold.wrong().empty()) return hold.wrong();
    if (auto wrong = accepted_.look(); !wrong.empty()) return wrong; // another process may have a higher serial by now
    if (auto wrong = serial_objection(accepted_.last(), next); !wrong.empty()) return wrong;
    if (stored_ != l.sha256 && state.copy_error.empty()) state.copy_error = store_.put_manifest(l);
    state.copy_stored = state.copy_error.empty();
    if (state.copy_stored) stored_ = l.sha256;
    return accepted_.raise(next);
}

// Loads the stored copy in place of the refused files on disk, with what was revoked or granted since.
void policy_gate::stand_in(loaded_allowlist& refused, const asked& of)
{
    if (!store_.is_there()) return;
    const auto not_used = [&](std::string why) {
        refused.problems.push_back(error(store_.manifest_path(), fmt::format("the stored copy cannot stand in: {}", std::move(why))));
    };
    const auto copy = read_signed_list(store_.manifest_path(), allowlist_, rules_, [this](const named_file& f) { return store_.place(f); });
    if (!copy) return not_used(copy.error().to_string());
    for (const auto* named : {&copy->what.parts, &copy->what.hosts_files})
        for (const auto& f : *named) watch(refused.files, beside_allowlist(allowlist_, f.name));
    revoked_.add(copy->what.revoked);
    const accepted_policy next{copy->what.serial, copy->sha256};
    auto out = compile(*copy, of);
    if (!out.rules) return not_used(out.problems.empty() ? "it does not load" : out.problems.front().to_string());
    if (auto wrong = serial_objection(accepted_.last(), next); !wrong.empty()) return not_used(std::move(wrong));
    if (accepted_.last() != next) {
        const state_lock hold{state_};
        if (auto wrong = hold.wrong().empty() ? accepted_.raise(next) : hold.wrong(); !wrong.empty()) return not_used(std::move(wrong));
    }
    out.problems.insert(out.problems.begin(), refused.problems.begin(), refused.problems.end());
    out.files = std::move(refused.files);
    out.why = refused.why;
    out.approvals.from_copy = out.approvals.copy_stored = true;
    refused = std::move(out);
}

} // namespace exeat::ops
