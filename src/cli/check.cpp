#include <cli/loaded_files.hpp>
#include <cli/parse_arguments.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstdlib>
#include <fmt/color.h>
#include <fmt/core.h>
#include <unistd.h>

namespace exeat::cli {

namespace {

struct summary {
    std::size_t errors, warnings;
    bool good;
};

std::string counted(std::size_t n, std::string_view what, std::string_view plural)
{
    return fmt::format("{} {}", n, n == 1 ? what : plural);
}

// As a compiler paints it, for eyes on a terminal.
void print_problem(const ops::problem& p)
{
    static const bool coloured = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
    if (!coloured) return fmt::print("{}\n", p.to_string());
    const auto text = p.to_string();
    const std::string_view word = p.how == ops::problem::weight::error ? "error:" : "warning:";
    const auto at = text.find(word);
    fmt::print(fmt::emphasis::bold, "{}", text.substr(0, at));
    fmt::print(fmt::emphasis::bold |
                   fmt::fg(p.how == ops::problem::weight::error ? fmt::terminal_color::red : fmt::terminal_color::magenta),
               "{}", word);
    fmt::print("{}\n", text.substr(at + word.size()));
}

void print_text(const loaded_files& f, const summary& s)
{
    for (const auto& p : f.problems) print_problem(p);
    if (s.errors + s.warnings > 0) fmt::print("{}, {}\n", counted(s.errors, "error", "errors"), counted(s.warnings, "warning", "warnings"));
    if (const auto* rules = f.list.rules.get())
        fmt::print("{}: serial {}, {}, {}, {}, {}, sha256 {}\n", f.allowlist, rules->settings().serial,
                   counted(rules->rules().size(), "entry", "entries"), counted(rules->names().names(), "name", "names"),
                   counted(rules->groups().size(), "group", "groups"), counted(f.list.expectations, "expectation met", "expectations met"),
                   rules->settings().sha256);
}

void print_json(const loaded_files& f, const summary& s)
{
    boost::json::object out{{"ok", s.good}, {"errors", s.errors}, {"warnings", s.warnings}, {"problems", to_json(f.problems)}};
    if (const auto* rules = f.list.rules.get())
        out["allowlist"] = boost::json::object{{"file", f.allowlist},
                                               {"serial", rules->settings().serial},
                                               {"sha256", rules->settings().sha256},
                                               {"entries", rules->rules().size()},
                                               {"names", rules->names().names()},
                                               {"groups", rules->groups().size()},
                                               {"expectations", f.list.expectations}};
    fmt::print("{}\n", boost::json::serialize(out));
}

// Workflow commands of GitHub Actions: an annotation beside the line. '%' and line ends are escaped as it asks for.
std::string escaped_for_github(std::string_view text, bool property)
{
    std::string out;
    for (const char c : text) {
        if (c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ',')))
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        else out += c;
    }
    return out;
}

void print_github(const loaded_files& f, const summary&)
{
    for (const auto& p : f.problems)
        fmt::print("::{} file={},line={},col={}::{}\n", p.how == ops::problem::weight::error ? "error" : "warning",
                   escaped_for_github(p.file, true), std::max(p.line, 1u), std::max(p.column, 1u), escaped_for_github(p.text, false));
}

} // namespace

int check(int argc, char** argv)
{
    CLI::App app{"Checks exeat.toml and the allowlist, and runs its [[expect]] tests. Example: exeat check --strict allowlist.toml",
                 "exeat check"};
    std::string config, allowlist, format = "text";
    bool strict = false;
    app.add_option("--config", config, "exeat.toml; its allowlist is checked too")->type_name("FILE");
    app.add_option("ALLOWLIST", allowlist, "the allowlist to check instead of the one that --config names");
    app.add_option("--format", format, "text, json or github (annotations)")->check(CLI::IsMember({"text", "json", "github"}));
    app.add_flag("--strict", strict, "fail on warnings too");
    if (const auto leave = parse_arguments(app, argc, argv)) return *leave;
    if (config.empty() && allowlist.empty()) {
        fmt::print(stderr, "exeat check: name an ALLOWLIST or --config exeat.toml\n");
        return wrong_usage;
    }
    const auto files = load_files(config, allowlist, ops::scrutiny::lint);
    summary s{count(files.problems, ops::problem::weight::error), count(files.problems, ops::problem::weight::warning), false};
    s.good = s.errors == 0 && (!strict || s.warnings == 0);
    if (format == "json") print_json(files, s);
    else if (format == "github") print_github(files, s);
    else print_text(files, s);
    return s.good ? success : failure;
}

} // namespace exeat::cli
