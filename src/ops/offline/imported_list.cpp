#include <ops/offline/imported_list.hpp>

#include <exeat/limits.hpp>
#include <ops/text/json_text.hpp>
#include <ops/text/toml_text.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace exeat::ops {

namespace {

// Makes the text of a file name or of the other list harmless: it can end neither a comment nor a string of an entry.
std::string plain_line(std::string_view text)
{
    auto out = valid_utf8(text);
    for (char& c : out)
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
    return out;
}

std::string comment(std::string_view line) { return fmt::format("# {}\n", plain_line(line)); }

// Text for an entry, cut to the length that a list allows.
std::string word(std::string_view text)
{
    auto line = plain_line(text);
    std::size_t end = std::min(line.size(), limits::text_octets);
    while (end < line.size() && (line[end] & 0xc0) == 0x80) --end; // not inside a UTF-8 character
    line.resize(end);
    return line;
}

void told(std::string& out, const std::vector<problem>& all, problem::weight how, std::string_view title)
{
    if (std::none_of(all.begin(), all.end(), [how](const problem& p) { return p.how == how; })) return;
    out += "#\n" + comment(title);
    for (const auto& p : all) {
        if (p.how != how) continue;
        out += comment(p.line == 0 ? fmt::format("  {}", p.text) : fmt::format("  line {}: {}", p.line, p.text));
    }
}

void group_table(std::string& out, const imported_group& g)
{
    out += "\n";
    if (g.sources.empty()) out += comment("Nobody is in this group until its sources are the networks of its clients.");
    out += fmt::format("[groups.{}]\nsources = ", toml_text(g.name));
    out += g.sources.empty() ? fmt::format("[{}]", toml_text(nobody))
                             : toml_array(g.sources, [](const ip_prefix& p) { return toml_text(p.to_string()); });
    out += g.report ? "\nmode = \"report\"\n" : "\n";
}

void entry_table(std::string& out, const imported_entry& e, std::string_view name, std::string_view terms)
{
    out += fmt::format("\n[[{}]]\nname = {}\nhosts = {}\n{}", to_string(e.kind), toml_text(name), toml_texts(e.hosts), terms);
    add_texts(out, "groups", e.groups);
    add_text(out, "owner", word(e.owner));
    add_text(out, "reason", word(e.reason));
}

void entry_tables(std::string& out, const imported_entry& e, const import_wishes& w)
{
    if (e.kind == rule_kind::deny) return entry_table(out, e, e.name, ""); // for every port
    if (!w.tls_ports.empty()) entry_table(out, e, e.name, fmt::format("ports = [{}]\n", fmt::join(w.tls_ports, ", ")));
    if (!w.http_ports.empty())
        entry_table(out, e, e.name + "-http", fmt::format("protocol = \"http\"\nports = [{}]\n", fmt::join(w.http_ports, ", ")));
}

} // namespace

std::string label_for(std::string_view name, const std::vector<std::string>& taken)
{
    constexpr std::size_t room = 10; // for the suffix "-http" or a number
    std::string label;
    for (const char c : name.substr(0, limits::rule_name_octets - room)) {
        const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        const bool plain = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9');
        if (plain || (!label.empty() && (low == '.' || low == '_' || low == '-'))) label += low;
        else if (!label.empty()) label += '-';
    }
    if (label.empty()) label = "unnamed";
    auto out = label;
    for (std::size_t n = 2; std::find(taken.begin(), taken.end(), out) != taken.end(); ++n) out = fmt::format("{}-{}", label, n);
    return out;
}

std::string to_toml(const imported_list& list, const import_wishes& w, const std::vector<problem>& problems)
{
    auto out = comment(fmt::format("Made of {} by exeat import. Read it before you use it.", w.from));
    told(out, problems, problem::weight::error, "Not carried over:");
    told(out, problems, problem::weight::warning, "To be known:");
    out += "\nserial = 1\n";
    if (std::any_of(list.groups.begin(), list.groups.end(), [](const imported_group& g) { return g.report; }))
        out += fmt::format("report_until = {}\n", utc(w.report_until));
    for (const auto& g : list.groups) group_table(out, g);
    for (const auto& e : list.entries) entry_tables(out, e, w);
    return out + "\nend = true\n";
}

} // namespace exeat::ops
