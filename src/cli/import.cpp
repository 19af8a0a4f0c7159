#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <ops/files/file_source.hpp>
#include <ops/offline/import_smokescreen.hpp>
#include <ops/offline/import_squid.hpp>
#include <ops/text/did_you_mean.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

namespace exeat::cli {

namespace {

struct question {
    std::vector<std::string> files, sources; // ROLE=NETWORK
    std::string output;
    bool deny = false;
    int report_days = 0;
    ops::import_wishes wishes;
};

struct answer {
    ops::imported_list list;
    std::vector<ops::problem> problems;
};

const std::string network_mend = "write ROLE=NETWORK, the network like 10.42.0.0/16 or fd00:42::/64";
const std::string role_mend = "there is no role or group in front of the network; write ROLE=NETWORK, like training=10.42.0.0/16";

std::string bad_sources(const std::string& text)
{
    const auto cut = text.rfind('=');
    if ((cut == text.npos && ip_prefix::parse(text)) || cut == 0) return role_mend;
    const auto network = cut == 0 || cut == text.npos ? std::nullopt : ip_prefix::parse(text.substr(cut + 1));
    if (!network) return network_mend;
    const bool unsaid = network->bits < 96 && network->contains(ip_address::v4(0)); // the loader rejects such a network too
    return unsaid ? "that takes in every IPv4 address too; write the IPv6 networks you mean, like 2000::/3" : std::string{};
}

std::string bad_owner(const std::string& text)
{
    const bool plain = std::none_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
    return plain && text.size() <= limits::text_octets ? std::string{} : "write one plain line";
}

// Sorts the ports and removes duplicates, because an entry must not list a port twice. False: there are too many for one entry.
bool sort_out(std::vector<std::uint16_t>& ports)
{
    std::sort(ports.begin(), ports.end());
    ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
    return ports.size() <= limits::ports_per_rule;
}

// Options for what neither kind of list contains.
void add_options(CLI::App& kind, question& q)
{
    kind.add_option("--ports", q.wishes.tls_ports, "the ports that are opened for TLS; 443 without it")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(CLI::Range(1, UINT16_MAX))
        ->type_name("PORT,…");
    kind.add_option("--http-ports", q.wishes.http_ports, "open these ports for plain HTTP too; none without it")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(CLI::Range(1, UINT16_MAX))
        ->type_name("PORT,…");
    kind.add_option("--owner", q.wishes.owner, "who answers for the entries that name nobody")
        ->check(CLI::Validator(bad_owner, ""))
        ->type_name("TEXT");
    kind.add_option("-o,--output", q.output, "write the allowlist here; to the standard output without it")->type_name("FILE");
}

void add_smokescreen(CLI::App& app, question& q)
{
    auto* kind = app.add_subcommand("smokescreen", "a Smokescreen ACL: YAML, version v1");
    kind->add_option("ACL", q.files, "the ACL")->required()->expected(1)->type_name("FILE");
    kind->add_option("--sources", q.sources, "the network of a role's clients; once for each network")
        ->check(CLI::Validator(bad_sources, ""))
        ->allow_extra_args(false)
        ->type_name("ROLE=NETWORK");
    kind->add_option("--report-days", q.report_days, "for roles with action report: days of report mode; none without it")
        ->check(CLI::Range(1, static_cast<int>(limits::report_ahead.count())))
        ->type_name("DAYS");
    add_options(*kind, q);
}

void add_squid(CLI::App& app, question& q)
{
    auto* kind = app.add_subcommand("squid", "Squid's dstdomain files: one domain a line");
    kind->add_option("LIST", q.files, "the files, an entry for each")->required()->type_name("FILE");
    kind->add_option("--sources", q.sources, "a group and a network of its clients; once for each network")
        ->check(CLI::Validator(bad_sources, ""))
        ->allow_extra_args(false)
        ->type_name("GROUP=NETWORK");
    kind->add_flag("--deny", q.deny, "the files say what is closed: write [[deny]] entries");
    add_options(*kind, q);
}

void complete(question& q)
{
    for (const auto& text : q.sources) {
        const auto cut = text.rfind('=');
        q.wishes.sources[text.substr(0, cut)].push_back(*ip_prefix::parse(text.substr(cut + 1)));
    }
    if (q.report_days > 0)
        q.wishes.report_until =
            std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) + std::chrono::days{q.report_days};
    q.wishes.from = std::filesystem::path{q.files.front()}.filename().string();
    for (std::size_t i = 1; i < q.files.size(); ++i) q.wishes.from += ", " + std::filesystem::path{q.files[i]}.filename().string();
}

void tell_of_terms(const question& q, ops::diagnostics& notes)
{
    if (q.deny) return;
    const bool asked = !q.wishes.tls_ports.empty() || !q.wishes.http_ports.empty();
    if (!asked) notes.warning({}, "the file names no ports, so every entry is for TLS at 443; --ports and --http-ports say otherwise");
    notes.warning(
        {}, "the file has no budgets, so every entry is for pulling, with its upload budgets, and each client may use 100 names a day "
            "under a wildcard; set 'purpose', 'upload' and 'names' where that is too little");
}

// The error for a role of --sources that the list does not have, because its network would be unused; empty: all roles exist.
std::string unknown_role(const question& q, const ops::imported_list& list)
{
    std::vector<std::string_view> known;
    for (const auto& g : list.groups) known.push_back(g.name);
    for (const auto& [role, networks] : q.wishes.sources) {
        const bool used =
            std::any_of(list.groups.begin(), list.groups.end(), [&](const auto& g) { return g.role == role || g.name == role; });
        if (!used && known.empty())
            return fmt::format(
                "--sources: {} names no role, so the list has no group for {}; add its service to the ACL, or leave --sources "
                "away",
                ops::as_shown(q.wishes.from), ops::as_shown(role));
        if (!used)
            return fmt::format("--sources: there is no role {}{}", ops::as_shown(role),
                               ops::did_you_mean(role, known, "the groups would be " + ops::listed(known)));
    }
    return {};
}

// Empty when the file could not be read as an ACL at all.
std::optional<answer> read_smokescreen(const question& q)
{
    answer a;
    ops::diagnostics wrong{q.files.front()}, notes{q.files.front()};
    const auto text = ops::read_whole(q.files.front(), limits::import_bytes);
    if (!text) wrong.error({}, text.error());
    auto list = text ? ops::import_smokescreen(*text, q.wishes, wrong) : std::nullopt;
    wrong.move_to(a.problems);
    tell_of_terms(q, notes);
    if (list) notes.move_to(a.problems);
    if (list) a.list = std::move(*list);
    for (const auto& p : a.problems) print_error("{}\n", p.to_string());
    return list ? std::optional{std::move(a)} : std::nullopt;
}

void add_groups(const question& q, answer& a, ops::diagnostics& notes)
{
    std::vector<std::string> names;
    for (const auto& [name, networks] : q.wishes.sources) {
        names.push_back(ops::label_for(name, names));
        if (names.back() != name) notes.warning({}, fmt::format("the group {} is called '{}'", ops::as_shown(name), names.back()));
        a.list.groups.push_back({names.back(), name, networks, false});
    }
    if (!names.empty()) return;
    a.list.groups.push_back({"clients", "clients", {}, false});
    notes.warning({}, "the file does not say who may use the list: write the sources of [groups.clients], or import with "
                      "--sources clients=NETWORK");
}

std::optional<answer> read_squid(const question& q)
{
    answer a;
    bool readable = true;
    for (const auto& path : q.files) {
        ops::diagnostics wrong{path};
        const auto text = ops::read_whole(path, limits::import_bytes);
        if (text)
            ops::import_squid(*text, std::filesystem::path{path}.stem().string(), q.deny ? rule_kind::deny : rule_kind::allow, a.list,
                              wrong);
        else wrong.error({}, text.error());
        readable = readable && text;
        wrong.move_to(a.problems);
    }
    ops::diagnostics notes{q.files.front()};
    add_groups(q, a, notes);
    tell_of_terms(q, notes);
    notes.move_to(a.problems);
    for (auto& e : a.list.entries) e.owner = q.wishes.owner;
    for (const auto& p : a.problems) print_error("{}\n", p.to_string());
    return readable ? std::optional{std::move(a)} : std::nullopt;
}

bool write(const question& q, const std::string& text)
{
    if (q.output.empty()) return print_out("{}", text), true;
    std::ofstream out{q.output, std::ios::binary};
    out << text;
    out.close();
    if (!out) print_error("{}: cannot be written; check the path and the permissions\n", ops::one_line(q.output));
    return !out.fail();
}

int finish(question& q, const std::optional<answer>& a)
{
    if (!a) return wrong_usage;
    if (const auto why = unknown_role(q, a->list); !why.empty()) return print_error("exeat import: {}\n", why), wrong_usage;
    if (q.wishes.tls_ports.empty() && q.wishes.http_ports.empty()) q.wishes.tls_ports = {443};
    if (!write(q, ops::to_toml(a->list, q.wishes, a->problems))) return wrong_usage;
    const auto lost =
        std::count_if(a->problems.begin(), a->problems.end(), [](const auto& p) { return p.how == ops::problem::weight::error; });
    if (lost > 0) print_error("{} not carried over; the list names {} in comments\n", lost, lost == 1 ? "it" : "them");
    return lost == 0 ? success : failure;
}

} // namespace

int import(int argc, char** argv)
{
    CLI::App app{
        "Makes an allowlist of another proxy's list. Example: exeat import smokescreen acl.yaml --sources training=10.42.0.0/16 -o "
        "allowlist.toml",
        "exeat import"};
    question q;
    app.require_subcommand(0, 1);
    add_smokescreen(app, q);
    add_squid(app, q);
    if (const auto leave = parse_arguments(app, argc, argv)) return *leave;
    if (app.get_subcommands().empty()) return print_error("exeat import: of what? smokescreen or squid\n"), wrong_usage;
    if (!sort_out(q.wishes.tls_ports) || !sort_out(q.wishes.http_ports))
        return print_error("exeat import: an entry has {} ports at most\n", limits::ports_per_rule), wrong_usage;
    complete(q);
    return finish(q, app.got_subcommand("squid") ? read_squid(q) : read_smokescreen(q));
}

} // namespace exeat::cli
