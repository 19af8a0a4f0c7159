// Reads the arguments of all verbs in the same way: help to stdout with exit code 0, wrong usage to stderr with 2.
#pragma once

#include <CLI/CLI.hpp>
#include <cli/command.hpp>
#include <cli/describe.hpp>
#include <cli/output.hpp>

#include <optional>
#include <sstream>
#include <string>
#include <string_view>

namespace exeat::cli {

inline const std::vector<std::string> formats{"text", "json"};

// A message about a missing or mistyped argument, with an example if possible; empty: CLI11's own message is used.
std::string how_to_call(const CLI::App&, const CLI::ParseError&);

// The exit code to return, or nothing when the verb should continue.
inline std::optional<int> parse_arguments(CLI::App& app, int argc, char** argv)
{
    if (argc == 2 && std::string_view{argv[1]} == "--describe") return print_as_json(describe(app)), success;
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) { // CLI11 reports errors, and --help, only by exceptions
        std::ostringstream out, error;
        const bool asked = app.exit(e, out, error) == 0;
        write_out(out.view());
        const std::string_view what = e.what(), more = error.view(); // `more` begins with `what`, which repeats the user's input
        if (const auto better = how_to_call(app, e); !better.empty()) return print_error("{}\n", better), wrong_usage;
        if (!asked) print_error("{}{}", ops::one_line(what), more.substr(more.starts_with(what) ? what.size() : 0));
        return asked ? success : wrong_usage;
    }
    return std::nullopt;
}

} // namespace exeat::cli
