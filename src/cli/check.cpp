#include <cli/loaded_files.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <ops/start_needs.hpp>
#include <ops/text/volume_text.hpp>

#include <boost/json/object.hpp>

#include <algorithm>
#include <cstdlib>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <unistd.h>

namespace exeat::cli {

namespace {

struct summary {
    std::size_t errors, warnings;
    bool good;
    std::vector<std::string> notes; // neither errors nor warnings
};

using ops::counted;

// Prints with a compiler's colours when stdout is a terminal.
void print_problem(const ops::problem& p)
{
    static const bool coloured = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
    if (!coloured) return print_out("{}\n", p.to_string());
    const auto text = p.to_string();
    const std::string_view word = p.how == ops::problem::weight::error ? "error:" : "warning:";
    const auto at = text.find(word);
    write_painted(fmt::emphasis::bold, text.substr(0, at));
    const auto colour = p.how == ops::problem::weight::error ? fmt::terminal_color::red : fmt::terminal_color::magenta;
    write_painted(fmt::emphasis::bold | fmt::fg(colour), word);
    print_out("{}\n", text.substr(at + word.size()));
}

void print_text(const loaded_files& f, const summary& s)
{
    for (const auto& p : f.problems) print_problem(p);
    for (const auto& n : s.notes) print_out("note: {}\n", ops::one_line(n));
    if (s.errors + s.warnings > 0) print_out("{}, {}\n", counted(s.errors, "error", "errors"), counted(s.warnings, "warning", "warnings"));
    if (f.rates)
        print_out("limits of each client: {} connections, {} requests, {} refusals and {} log lines a second\n", (*f.rates)[0],
                  (*f.rates)[1], (*f.rates)[2], (*f.rates)[3]);
    if (const auto* rules = f.list.rules.get(); rules != nullptr && !rules->settings().approved_by.empty())
        print_out("approved by {}\n", fmt::join(rules->settings().approved_by, " "));
    if (const auto* rules = f.list.rules.get())
        print_out("{}: serial {}, {}, {}, {}, {}, sha256 {}\n", ops::one_line(f.allowlist), rules->settings().serial,
                  counted(rules->rules().size(), "entry", "entries"), counted(rules->names().names(), "name", "names"),
                  counted(rules->groups().size(), "group", "groups"),
                  counted(f.list.expectations.size(), "expectation met", "expectations met"), rules->settings().sha256);
}

void print_json(const loaded_files& f, const summary& s)
{
    boost::json::object out{{"ok", s.good}, {"errors", s.errors}, {"warnings", s.warnings}, {"problems", to_json(f.problems)}};
    if (!s.notes.empty()) out["notes"] = boost::json::array(s.notes.begin(), s.notes.end());
    if (f.rates) {
        auto& limits = out["limits_per_second"].emplace_object();
        for (std::size_t i = 0; i < f.rates->size(); ++i) limits[client_rate_words[i]] = (*f.rates)[i];
    }
    if (const auto* rules = f.list.rules.get())
        out["allowlist"] = boost::json::object{{"file", f.allowlist},
                                               {"serial", rules->settings().serial},
                                               {"sha256", rules->settings().sha256},
                                               {"entries", rules->rules().size()},
                                               {"names", rules->names().names()},
                                               {"groups", rules->groups().size()},
                                               {"expectations", f.list.expectations.size()}};
    print_as_json(out);
}

// Escapes text for a workflow command of GitHub Actions, which annotates a line: '%' and line ends, in a property also ':' and ','.
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

void print_github(const loaded_files& f, const summary& s)
{
    for (const auto& p : f.problems)
        print_out("::{} file={},line={},col={}::{}\n", p.how == ops::problem::weight::error ? "error" : "warning",
                  escaped_for_github(p.file, true), std::max(p.line, 1u), std::max(p.column, 1u), escaped_for_github(p.text, false));
    for (const auto& n : s.notes) print_out("::notice::{}\n", escaped_for_github(n, false));
}

// Tries what `serve` would need on this machine.
std::vector<std::string> try_machine(const std::string& config, loaded_files& f)
{
    if (!f.settings) return {};
    auto needs = ops::try_start(*f.settings, config);
    for (auto& text : needs.wrong) f.problems.push_back({config, 0, 0, ops::problem::weight::error, std::move(text)});
    return std::move(needs.notes);
}

} // namespace

int check(int argc, char** argv)
{
    CLI::App app{"Checks exeat.toml and the allowlist, and runs its [[expect]] tests. Example: exeat check --strict allowlist.toml",
                 "exeat check"};
    std::string config, allowlist, format = "text";
    bool strict = false, elsewhere = false;
    app.add_option("--config", config, "exeat.toml; its allowlist is checked too, with the approvals that it needs")->type_name("FILE");
    app.add_option("ALLOWLIST", allowlist, "the allowlist to check instead of the one that --config names");
    app.add_option("--format", format, "text, json or github (annotations)")->check(CLI::IsMember({"text", "json", "github"}));
    app.add_flag("--strict", strict, "fail on warnings too");
    app.add_flag("--elsewhere", elsewhere, "another machine will serve: do not try directories, ports and permissions on this one");
    if (const auto leave = parse_arguments(app, argc, argv)) return *leave;
    if (config.empty() && allowlist.empty()) {
        print_error("exeat check: name an ALLOWLIST or --config exeat.toml\n");
        return wrong_usage;
    }
    auto files = load_files(config, allowlist, ops::scrutiny::lint);
    auto notes = elsewhere ? std::vector<std::string>{} : try_machine(config, files);
    summary s{count(files.problems, ops::problem::weight::error), count(files.problems, ops::problem::weight::warning), false,
              std::move(notes)};
    s.good = s.errors == 0 && (!strict || s.warnings == 0);
    if (format == "json") print_json(files, s);
    else if (format == "github") print_github(files, s);
    else print_text(files, s);
    return s.good ? success : failure;
}

} // namespace exeat::cli
