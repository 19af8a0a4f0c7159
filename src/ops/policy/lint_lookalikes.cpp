#include <ops/policy/lint.hpp>
#include <ops/text/international_name.hpp>

#include <fmt/format.h>
#include <unordered_map>

namespace exeat::ops {

namespace {

bool has_a_label(std::string_view name) noexcept { return name.starts_with("xn--") || name.find(".xn--") != name.npos; }

} // namespace

void lint_lookalikes(const allowlist_draft& d, diagnostics& wrong)
{
    std::unordered_map<std::string, const located_host*> plain; // by appearance
    std::vector<const located_host*> international;
    for (const auto& e : d.entries)
        for (const auto& h : e.hosts) {
            const auto& name = h.pattern.base.str();
            if (has_a_label(name)) international.push_back(&h);
            else plain.emplace(as_seen(std::u32string(name.begin(), name.end())), &h);
        }
    for (const auto* h : international) {
        const auto decoded = from_a_labels(std::string{h->pattern.base.str()});
        if (decoded.empty())
            wrong.warning(h->at, fmt::format("{} has an A-label that decodes to nothing; correct or remove it", h->pattern.to_string()));
        else if (const auto like = plain.find(as_seen(decoded)); like != plain.end())
            wrong.warning(h->at, fmt::format("{} looks like {} (line {}) to the eye and is another host; remove it if that is not meant",
                                             h->pattern.to_string(), like->second->pattern.to_string(), like->second->at.line));
    }
}

} // namespace exeat::ops
