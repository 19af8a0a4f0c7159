#include <cli/changed_terms.hpp>

#include <ops/text/quantity.hpp>
#include <ops/text/utc.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace exeat::cli {

namespace {

std::string budget_text(const upload_limits& u)
{
    std::vector<std::string> all;
    for (std::size_t w = 0; w < budget_windows; ++w)
        if (u.most[w] < unlimited) all.push_back(fmt::format("{}/{}", ops::exact_size(u.most[w]), budget_window_words[w]));
    return all.empty() ? "no limit" : fmt::format("{}", fmt::join(all, " and "));
}

// The upload budget that applies to the entry: its own, that of [defaults], or that of its purpose.
std::string upload_text(const rule& r, const policy& p)
{
    const auto& standard = p.settings().upload;
    return budget_text(r.upload ? *r.upload : standard ? *standard : default_upload(r.purpose));
}

std::string age_text(const rule& r) { return r.max_age.count() == 0 ? "no limit" : ops::to_text(r.max_age); }

std::string addresses_text(const rule& r)
{
    std::vector<std::string> all;
    for (const auto& a : r.addresses) all.push_back(a.to_string());
    if (all.empty())
        for (const auto& p : r.within) all.push_back(p.to_string());
    return all.empty() ? "public" : fmt::format("{}", fmt::join(all, " and "));
}

std::string value_of(std::string_view key, const rule& r, const policy& p)
{
    if (key == "upload") return upload_text(r, p);
    if (key == "upload_identity") return r.upload_identity ? budget_text(*r.upload_identity) : "upload, times instances";
    if (key == "upload_total") return budget_text(r.upload_total);
    if (key == "on_budget") return std::string{budget_action_words[r.on_budget]};
    if (key == "expires") return ops::utc(r.expires);
    if (key == "ech") return std::string{ech_policy_words[r.ech]};
    if (key == "protocol") return std::string{to_string(r.protocol)};
    if (key == "purpose") return std::string{to_string(r.purpose)};
    if (key == "max_age") return age_text(r);
    if (key == "names") return std::to_string(r.wildcard_names);
    if (key == "addresses") return addresses_text(r);
    return {};
}

} // namespace

std::string with_values(std::string_view term, const policy_change& c, const policy& before, const policy& after)
{
    if (c.before == nullptr || c.after == nullptr) return std::string{term};
    const auto key = term.substr(0, term.find(' '));
    const auto was = value_of(key, *c.before, before), is = value_of(key, *c.after, after);
    return was == is ? std::string{term} : fmt::format("{}: {} → {}", term, was, is);
}

} // namespace exeat::cli
