#include <cli/loaded_files.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <cli/replay_report.hpp>

#include <chrono>
#include <fmt/core.h>

namespace exeat::cli {

int replay(int argc, char** argv)
{
    CLI::App app{
        "Says what an allowlist would have changed for the requests of an audit log. Exit 1 when anything would be newly allowed or "
        "newly denied. Example: exeat replay --audit audit.jsonl --since 24h new.toml",
        "exeat replay"};
    log_question logs;
    std::string allowlist, format = "text";
    std::size_t most = 10;
    logs.add_to(app);
    app.add_option("ALLOWLIST", allowlist, "the candidate; it decides as it would now")->required();
    app.add_option("--format", format, "text, or json (everything)")->check(CLI::IsMember(formats));
    app.add_option("--hosts", most, "hosts shown for each entry")->check(CLI::Range(1, 1'000'000))->capture_default_str();
    if (const auto leave = parse_arguments(app, argc, argv)) return *leave;

    const auto files = load_files("", allowlist);
    for (const auto& p : files.problems)
        if (p.how == ops::problem::weight::error) print_error("{}\n", p.to_string());
    if (!files.list.rules) return wrong_usage; // exit code 1 would mean that something changes
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    ops::replay again{*files.list.rules, now};
    const auto log = read_logs(logs, again, now);
    if (!log) return wrong_usage;
    const auto result = again.finish();
    if (format == "json") print_as_json(to_json(result, *log));
    else print_out("{}", to_text(result, *log, most));
    return result.changes() ? failure : success;
}

} // namespace exeat::cli
