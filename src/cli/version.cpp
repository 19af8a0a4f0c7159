#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <ops/process/version.hpp>
#include <ops/text/formats.hpp>

#include <fmt/core.h>

namespace exeat::cli {

namespace {

void print_formats()
{
    print_out("\nformats of the files in state:\n");
    for (const auto& f : ops::formats::of_state)
        print_out("  {:17} {}{}{}\n", f.file, f.name, f.also_reads.empty() ? "" : "; reads also ", f.also_reads);
    print_out("\naudit log: {}\nsigned:\n", ops::formats::audit_log);
    for (const auto& s : ops::formats::of_statements) print_out("  {}\n", s);
}

} // namespace

int version(int argc, char** argv)
{
    CLI::App app{"Prints the version, the revision and the formats of state, log and signed statements. Example: exeat version",
                 "exeat version"};
    if (const auto leave = parse_arguments(app, argc, argv)) return *leave;
    print_out("exeat {}{}{}{}\n", ops::version, ops::revision.empty() ? "" : " (", ops::revision, ops::revision.empty() ? "" : ")");
    print_formats();
    return success;
}

} // namespace exeat::cli
