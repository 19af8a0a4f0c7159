#include <ops/offline/import_squid.hpp>

#include <ops/policy/shared_suffixes.hpp>
#include <ops/text/host_text.hpp>
#include <ops/text/networks.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

bool blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trimmed(std::string_view s) noexcept
{
    while (!s.empty() && blank(s.front())) s.remove_prefix(1);
    while (!s.empty() && blank(s.back())) s.remove_suffix(1);
    return s;
}

class domain_reader {
public:
    domain_reader(rule_kind kind, diagnostics& wrong) : kind_{kind}, wrong_{wrong} {}

    void read(std::string_view line, place at)
    {
        auto word = trimmed(line.substr(0, line.find('#')));
        at.column = static_cast<std::uint32_t>(word.data() - line.data() + 1);
        if (word.empty() || option(word)) return;
        if (word.size() >= 2 && word.front() == '"' && word.back() == '"') word = trimmed(word.substr(1, word.size() - 2));
        if (kind_ == rule_kind::deny && written_as_network(word)) return take_network(word, at); // from a list for 'dst'
        const auto objection = objection_to_line(word);
        if (!objection.empty()) return wrong_.error(at, objection);
        const bool tree = word.front() == '.';
        if (tree) word.remove_prefix(1);
        take(std::string{word}, at);
        if (tree) take(fmt::format("**.{}", word), at);
    }
    std::vector<std::string> hosts() &&
    {
        std::sort(hosts_.begin(), hosts_.end());
        hosts_.erase(std::unique(hosts_.begin(), hosts_.end()), hosts_.end());
        return std::move(hosts_);
    }

private:
    // Options of the comparison, which ignores case here, and of look-ups by address, which exeat never makes.
    static bool option(std::string_view word) noexcept { return word == "-i" || word == "+i" || word == "-n" || word == "--"; }

    static std::string objection_to_line(std::string_view word)
    {
        if (word.starts_with("acl ") || word.starts_with("http_access "))
            return "that is a line of squid.conf; import the file that its \"…\" names";
        if (word.starts_with('/')) return fmt::format("{} names another file; import that as well", as_shown(word));
        if (std::any_of(word.begin(), word.end(), blank)) return fmt::format("{} is not a domain; write one a line", as_shown(word));
        if (word.find('*') != word.npos) return fmt::format("{}: Squid knows no '*' here; write .example.org", as_shown(word));
        if (word == "." || word.empty()) return fmt::format("{} is not a domain; write one, or remove the line", as_shown(word));
        return {};
    }

    void take(const std::string& text, place at)
    {
        const auto host = host_pattern::parse(text);
        auto objection = host ? objection_to(*host) : explain_bad_host(text);
        if (objection.empty()) hosts_.push_back(host->to_string());
        else wrong_.error(at, std::move(objection));
    }

    void take_network(std::string_view text, place at)
    {
        const auto network = parse_network(text);
        if (network) hosts_.push_back(network->to_string());
        else wrong_.error(at, network.error());
    }

    std::string objection_to(const host_pattern& host) const
    {
        if (kind_ == rule_kind::deny) return {};
        auto said = ops::objection_to(host, rule{});
        return said.empty() ? wildcard_objection(host) : said;
    }

    rule_kind kind_;
    diagnostics& wrong_;
    std::vector<std::string> hosts_;
};

std::vector<std::string> names_of(const imported_list& list)
{
    std::vector<std::string> out;
    for (const auto& e : list.entries) {
        out.push_back(e.name);
        out.push_back(e.name + "-http");
    }
    return out;
}

} // namespace

void import_squid(std::string_view text, std::string_view name, rule_kind kind, imported_list& list, diagnostics& wrong)
{
    domain_reader domains{kind, wrong};
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3); // a byte order mark
    for (place at{1, 1}; !text.empty(); ++at.line) {
        const auto end = std::min(text.find('\n'), text.size());
        domains.read(text.substr(0, end), at);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    imported_entry e{kind, label_for(name, names_of(list)), std::move(domains).hosts(), {}, {}, {}};
    e.reason = fmt::format("dstdomain list {}", name);
    if (e.hosts.empty()) wrong.error({}, "names no domain; write one a line");
    else list.entries.push_back(std::move(e));
}

} // namespace exeat::ops
