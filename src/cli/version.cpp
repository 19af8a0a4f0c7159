#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <ops/process/version.hpp>

#include <fmt/core.h>

namespace exeat::cli {

int version(int argc, char** argv)
{
    CLI::App app{"Prints the version. Example: exeat version", "exeat version"};
    if (const auto leave = parse_arguments(app, argc, argv)) return *leave;
    print_out("exeat {}\n", ops::version);
    return success;
}

} // namespace exeat::cli
