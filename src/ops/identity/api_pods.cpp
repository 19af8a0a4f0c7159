#include <ops/identity/api_pods.hpp>

#include <exeat/limits.hpp>
#include <ops/text/diagnostics.hpp>

#include <fmt/format.h>
#include <iterator>

namespace exeat::ops {

namespace {

void append_event(std::string_view type, std::string_view pod, std::string& lines)
{
    fmt::format_to(std::back_inserter(lines), R"({{"type":"{}","object":{}}})", type, pod);
    lines += '\n';
}

} // namespace

void api_pods::begin_list()
{
    listed_.clear();
    listed_version_.clear();
}

std::string api_pods::take(pod_page page)
{
    if (listed_version_.empty()) listed_version_ = page.version;
    else if (listed_version_ != page.version) return "is of another resourceVersion than the pages before";
    for (auto& p : page.pods) {
        if (is_foreign(p)) return fmt::format("has a pod of the namespace {}, which was not asked for", as_shown(p.space));
        if (p.line.empty()) left_out_(p);
        else if (!listed_.try_emplace(std::move(p.uid), std::move(p.line)).second) return "has two pods of one UID";
        if (listed_.size() > limits::pods) return fmt::format("is of one pod more than the {} that can be known", limits::pods);
    }
    return {};
}

void api_pods::end_list()
{
    pods_ = std::move(listed_);
    version_ = std::move(listed_version_);
    begin_list();
}

std::string api_pods::take(const api_event& e, std::string& lines)
{
    switch (e.is) {
    case api_event::kind::expired: return {};
    case api_event::kind::bookmark: return take_version(e.pod.version, true);
    case api_event::kind::present: return take_present(e.pod, lines);
    case api_event::kind::deleted: break;
    }
    if (is_foreign(e.pod)) return fmt::format("is of the namespace {}, which was not asked for", as_shown(e.pod.space));
    if (const auto known = pods_.find(e.pod.uid); known != pods_.end()) {
        append_event("DELETED", known->second, lines);
        pods_.erase(known);
    }
    const auto order = compare_versions(e.pod.version, version_);
    if (!order || *order > 0) version_ = e.pod.version;
    return {};
}

std::string api_pods::take_present(const api_pod& p, std::string& lines)
{
    if (is_foreign(p)) return fmt::format("is of the namespace {}, which was not asked for", as_shown(p.space));
    if (auto why = take_version(p.version, false); !why.empty()) return why;
    const auto known = pods_.find(p.uid);
    if (p.line.empty()) {
        left_out_(p);
        if (known == pods_.end()) return {};
        append_event("DELETED", known->second, lines);
        pods_.erase(known);
    } else if (known == pods_.end()) {
        if (pods_.size() >= limits::pods) return fmt::format("is of one pod more than the {} that can be known", limits::pods);
        append_event("ADDED", p.line, lines);
        pods_.emplace(p.uid, p.line);
    } else if (known->second != p.line) { // most changes are of fields that exeat does not read
        append_event("MODIFIED", p.line, lines);
        known->second = p.line;
    }
    return {};
}

std::string api_pods::take_version(const std::string& version, bool may_be_equal)
{
    const auto order = compare_versions(version, version_);
    if (order && (*order < 0 || (*order == 0 && !may_be_equal)))
        return fmt::format("has the resourceVersion {}, which is not newer than {}", version, version_);
    version_ = version;
    return {};
}

void api_pods::append_to(std::string& text) const
{
    for (const auto& [uid, line] : pods_) (text += line) += '\n';
}

} // namespace exeat::ops
