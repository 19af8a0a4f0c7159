#include <cli/command.hpp>

#include <ops/verify_audit.hpp>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <string>
#include <vector>

namespace exeat::cli {

namespace {

void report(const std::string& path, const ops::audit_findings& found)
{
    for (const auto& note : found.notes) fmt::print("{}: {}\n", path, note);
    if (!found.whole()) fmt::print(stderr, "{}: {}\n", path, found.problem);
    else if (found.lines == 0) fmt::print("{}: empty\n", path);
    else fmt::print("{}: {} lines, numbers {} to {}, none missing, none changed\n", path, found.lines, found.first, found.last);
}

} // namespace

int verify(int argc, char** argv)
{
    CLI::App app{"Checks that an audit log is whole: numbers without a gap, each line carrying the hash of the line before.\n"
                 "What the last line says is vouched for only by the line that will come after it.\n"
                 "Example: exeat verify --audit /var/log/exeat/audit.jsonl",
                 "exeat verify"};
    std::vector<std::string> files;
    app.add_option("--audit", files, "the log; after a rotation, the older file first, and the chain is followed from one to the next")
        ->required()
        ->type_name("FILE");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& wrong) {
        return app.exit(wrong) == 0 ? 0 : 2;
    }
    std::optional<ops::audit_place> end;
    for (const auto& path : files) {
        const auto found = ops::verify_audit(path, end);
        report(path, found);
        if (!found.whole()) return 1;
        if (found.end) end = found.end;
    }
    return 0;
}

} // namespace exeat::cli
