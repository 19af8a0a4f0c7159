#include <ops/admin/tunnel_page.hpp>

#include <exeat/limits.hpp>
#include <ops/text/diagnostics.hpp> // as_shown
#include <ops/text/json_text.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <boost/url/parse.hpp>
#include <charconv>
#include <fmt/format.h>
#include <set>

namespace exeat::ops {

namespace {

namespace json = boost::json;
using problem_text = std::optional<std::string>; // what is wrong

problem_text read_number(std::string_view text, std::size_t most, std::size_t& out)
{
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (failed != std::errc{} || end != text.data() + text.size() || out < 1 || out > most)
        return fmt::format("a number from 1 to {}", most);
    return std::nullopt;
}

problem_text read_order(std::string_view word, net::tunnel_order& out)
{
    const auto& words = net::tunnel_order_words;
    const auto at = std::find(words.begin(), words.end(), word);
    if (at == words.end()) return fmt::format("one of {}", fmt::join(words, ", "));
    out = static_cast<net::tunnel_order>(at - words.begin());
    return std::nullopt;
}

// Also accepts the form that the metrics use: the group, a slash and the client.
problem_text read_client(std::string_view text, const label_registry& labels, std::optional<ip_prefix>& out)
{
    out = ip_prefix::parse(text);
    const auto groups = labels.groups();
    const auto slash = text.find('/');
    const bool named = slash != text.npos && std::find(groups.begin(), groups.end(), text.substr(0, slash)) != groups.end();
    if (!out && named) out = ip_prefix::parse(text.substr(slash + 1));
    return out ? std::nullopt
               : std::optional<std::string>{"an IP address, or a prefix with host bits zero, alone or behind its group (lab/10.0.0.1)"};
}

std::vector<std::uint32_t> slots_of(std::string_view entry, const label_registry& labels)
{
    std::vector<std::uint32_t> out;
    const auto rules = labels.rules();
    for (std::uint32_t slot = 0; slot < rules.size(); ++slot)
        if (rules[slot].name == entry) out.push_back(slot);
    return out;
}

problem_text read_one(std::string_view key, std::string_view value, const label_registry& labels, tunnel_page& out)
{
    if (key == "sort") return read_order(value, out.of.by);
    if (key == "client") return read_client(value, labels, out.of.client);
    if (key == "page") return read_number(value, limits::listed_tunnels, out.page);
    if (key == "size") return read_number(value, limits::page_rows, out.size);
    if (key != "entry") return "left out: this page has no such parameter";
    out.of.at = slots_of(value, labels);
    return std::nullopt;
}

json::object of_tunnel(const net::listed_tunnel& t, const std::vector<label_registry::rule_label>& rules,
                       const std::vector<std::string>& groups)
{
    const std::chrono::duration<double> age = std::chrono::steady_clock::now() - t.opened;
    return {{"id", fmt::format("{:016x}", t.id)},
            {"client", t.client.to_string()},
            {"client_name", groups[t.group_slot < groups.size() ? t.group_slot : label_registry::no_group] + "/" + t.client.to_string()},
            {"client_port", t.client_port},
            {"group", groups[t.group_slot < groups.size() ? t.group_slot : label_registry::no_group]},
            {"entry", rules[t.rule_slot < rules.size() ? t.rule_slot : label_registry::other_rule].name},
            {"purpose", std::string{to_string(t.purpose)}},
            {"mode", std::string{net::request_mode_words[t.mode]}},
            {"host", valid_utf8(t.host)},
            {"port", t.port},
            {"address", t.address.to_string()},
            {"age_seconds", age.count()},
            {"upload_bytes", t.upload},
            {"download_bytes", t.download},
            {"ech", t.ech},
            {"throttled", t.throttled}};
}

} // namespace

boost::system::result<tunnel_page, std::string> parse_tunnel_page(std::string_view target, const label_registry& labels)
{
    const auto url = boost::urls::parse_origin_form({target.data(), target.size()});
    if (!url) return std::string{"this is not a path with a query"};
    tunnel_page out;
    std::set<std::string> seen;
    for (const auto& p : url->params()) {
        if (!seen.insert(p.key).second) return as_shown(p.key) + " comes twice";
        const auto wrong = read_one(p.key, p.value, labels, out);
        if (wrong) return as_shown(p.key) + " must be " + *wrong;
    }
    out.of.most = out.page * out.size;
    if (out.of.most > limits::listed_tunnels)
        return fmt::format("the first {} tunnels can be paged to: narrow it down by client or entry, or sort otherwise",
                           limits::listed_tunnels);
    return out;
}

std::string tunnel_report(const tunnel_page& asked, net::tunnel_list found, bool complete, const label_registry& labels)
{
    const auto total = found.total(), matching = found.matching();
    const auto rows = std::move(found).in_order();
    const auto rules = labels.rules();
    const auto groups = labels.groups();
    json::array tunnels;
    for (auto i = (asked.page - 1) * asked.size; i < rows.size(); ++i) tunnels.push_back(of_tunnel(rows[i], rules, groups));
    const auto reachable = std::min<std::uint64_t>(matching, limits::listed_tunnels / asked.size * asked.size);
    const json::object all{{"now", utc(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()))},
                           {"sort", std::string{net::tunnel_order_words[asked.of.by]}},
                           {"page", asked.page},
                           {"size", asked.size},
                           {"pages", (reachable + asked.size - 1) / asked.size},
                           {"total", total},
                           {"matching", matching},
                           {"complete", complete},
                           {"tunnels", std::move(tunnels)}};
    return json::serialize(all) + "\n";
}

} // namespace exeat::ops
