#include <cli/diff_report.hpp>
#include <cli/loaded_files.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>

#include <chrono>
#include <fmt/core.h>

namespace exeat::cli {

int diff(int argc, char** argv)
{
    CLI::App app{"Says what NEW opens and closes against OLD. Exit 1 when it opens anything. Example: exeat diff allowlist.toml new.toml",
                 "exeat diff"};
    std::string before, after, format = "text";
    std::size_t most = 10;
    app.add_option("OLD", before, "the allowlist in force")->required();
    app.add_option("NEW", after, "the candidate")->required();
    app.add_option("--format", format, "text, markdown (a review comment) or json (everything)")
        ->check(CLI::IsMember({"text", "markdown", "json"}));
    app.add_option("--hosts", most, "hosts shown for each entry")->check(CLI::Range(1, 1'000'000))->capture_default_str();
    if (const auto leave = parse_arguments(app, argc, argv)) return *leave;

    const auto old_files = load_files("", before), new_files = load_files("", after);
    bool whole = true;
    for (const auto* f : {&old_files, &new_files}) {
        for (const auto& p : f->problems)
            if (p.how == ops::problem::weight::error) print_error("{}\n", p.to_string());
        whole = whole && f->list.rules;
    }
    if (!whole) return wrong_usage; // exit code 1 would mean that something opens
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto report = report_difference(old_files.list, new_files.list, now);
    if (format == "json") print_as_json(to_json(report));
    else print_out("{}", format == "markdown" ? to_markdown(report, most) : to_text(report, most));
    return report.opens() ? failure : success;
}

} // namespace exeat::cli
