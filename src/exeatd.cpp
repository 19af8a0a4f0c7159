// The proxy alone, which `exeat serve` executes. It is a program of its own, so that the serving process contains no importer, no YAML and
// no terminal code.
#include <cli/command.hpp>
#include <cli/output.hpp>

#include <exception>

namespace {

int run(int argc, char** argv)
{
    try {
        return exeat::cli::serve(argc, argv);
    } catch (const std::exception& e) {
        exeat::cli::print_error("exeat serve: {}\n", exeat::ops::one_line(e.what()));
        return exeat::cli::failure;
    }
}

} // namespace

int main(int argc, char** argv)
{
    exeat::cli::hold_standard_descriptors();
    return exeat::cli::after_output(run(argc, argv));
}
