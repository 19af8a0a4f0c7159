#include <ops/offline/unused_entries.hpp>

#include <ops/text/diagnostics.hpp>
#include <ops/text/volume_text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <set>

namespace exeat::ops {

namespace {

// The hourly budget of one client in octets, from the entry or from its purpose.
std::uint64_t hourly_budget(const rule& r) noexcept { return (r.upload ? *r.upload : default_upload(r.purpose)).most[0]; }

// One entry's patterns; finds those that match a host without a scan.
class pattern_table {
public:
    explicit pattern_table(const entry& e)
    {
        for (const auto& h : e.hosts) {
            if (h.pattern.how == host_pattern::reach::exact) unused_.emplace(h.pattern.base.str());
            else wildcards_.try_emplace(h.pattern.to_string());
        }
        exact_ = unused_;
    }

    void use(const std::string& host)
    {
        unused_.erase(host);
        if (exact_.contains(host)) return;
        for (auto dot = host.find('.'); dot != host.npos; dot = host.find('.', dot + 1)) {
            const auto base = host.substr(dot);
            if (dot == host.find('.')) use(host, "*" + base);
            use(host, "**" + base);
        }
    }

    void move_to(entry_use& out) &&
    {
        out.unused.assign(unused_.begin(), unused_.end());
        for (const auto& [pattern, names] : wildcards_) out.wildcards.push_back({pattern, {names.begin(), names.end()}});
    }

private:
    void use(const std::string& host, const std::string& pattern)
    {
        if (const auto known = wildcards_.find(pattern); known != wildcards_.end()) known->second.insert(host);
    }

    std::set<std::string> exact_, unused_;
    std::map<std::string, std::set<std::string>> wildcards_; // pattern → names that it matched
};

// The first names, and the number of the others.
std::string some(const std::vector<std::string>& all)
{
    const auto shown = std::min(all.size(), limits::told_names);
    auto out = fmt::format("{}", fmt::join(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
    return all.size() > shown ? out + fmt::format(" and {} more", all.size() - shown) : out;
}

void tell(const entry_use& u, std::vector<std::string>& out)
{
    const auto& r = u.what->value;
    const auto place = as_shown(fmt::format("{}:{}", r.file, r.line)) + ": ";
    if (u.requests == 0) {
        out.push_back(place + fmt::format("entry {} was not used", as_shown(r.name)));
        return;
    }
    if (!u.unused.empty()) out.push_back(place + fmt::format("nobody asked {} for {}", as_shown(r.name), some(u.unused)));
    for (const auto& w : u.wildcards) {
        if (w.names.empty()) out.push_back(place + fmt::format("{} of {} took nothing", w.pattern, as_shown(r.name)));
        else if (w.replaceable())
            out.push_back(place + fmt::format("{} of {} could be {}", w.pattern, as_shown(r.name), fmt::join(w.names, ", ")));
    }
    if (u.tenth())
        out.push_back(place + fmt::format("{} uploaded {} in its busiest hour, so a tenth of its {} would do", as_shown(r.name),
                                          volume_text(u.busiest_hour), volume_text(hourly_budget(r))));
}

} // namespace

bool entry_use::tenth() const noexcept
{
    const auto hourly = hourly_budget(what->value);
    return requests > 0 && hourly != unlimited && busiest_hour * limits::upload_headroom <= hourly / 10;
}

std::vector<entry_use> uses_of(const allowlist_draft& given, const observed_use& seen)
{
    std::map<std::string, std::map<std::string, std::uint64_t>> hosts; // entry → host → requests
    for (const auto& [to, use] : seen.served()) hosts[to.entry][to.host] += use.requests;
    const auto busiest = seen.busiest_hours();
    std::vector<entry_use> out;
    for (const auto& e : given.entries) {
        if (e.value.kind == rule_kind::deny) continue;
        entry_use u;
        u.what = &e;
        pattern_table patterns{e};
        for (const auto& [host, requests] : hosts[e.value.name]) {
            patterns.use(host);
            u.requests += requests;
        }
        std::move(patterns).move_to(u);
        if (const auto b = busiest.find(e.value.name); b != busiest.end()) u.busiest_hour = b->second;
        out.push_back(std::move(u));
    }
    return out;
}

std::vector<std::string> to_lines(const std::vector<entry_use>& all)
{
    std::vector<std::string> out;
    for (const auto& u : all) tell(u, out);
    return out;
}

} // namespace exeat::ops
