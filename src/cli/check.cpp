#include <cli/loaded_files.hpp>
#include <cli/parse_arguments.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/core.h>

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

void print_text(const loaded_files& f, const summary& s)
{
    for (const auto& p : f.problems) fmt::print("{}\n", p.to_string());
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

} // namespace

int check(int argc, char** argv)
{
    CLI::App app{"Checks exeat.toml and the allowlist, and runs its [[expect]] tests. Example: exeat check --strict allowlist.toml",
                 "exeat check"};
    std::string config, allowlist, format = "text";
    bool strict = false;
    app.add_option("--config", config, "exeat.toml; its allowlist is checked too");
    app.add_option("ALLOWLIST", allowlist, "the allowlist to check instead of the one that --config names");
    app.add_option("--format", format, "text or json")->check(CLI::IsMember(formats));
    app.add_flag("--strict", strict, "fail on warnings too");
    if (const auto leave = parse_arguments(app, argc, argv)) return *leave;
    if (config.empty() && allowlist.empty()) {
        fmt::print(stderr, "exeat check: name an ALLOWLIST or --config exeat.toml\n");
        return wrong_usage;
    }
    const auto files = load_files(config, allowlist);
    summary s{count(files.problems, ops::problem::weight::error), count(files.problems, ops::problem::weight::warning), false};
    s.good = s.errors == 0 && (!strict || s.warnings == 0);
    if (format == "json") print_json(files, s);
    else print_text(files, s);
    return s.good ? success : failure;
}

} // namespace exeat::cli
