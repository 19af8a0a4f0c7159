#include <cli/command.hpp>
#include <cli/output.hpp>
#include <ops/process/block_signals.hpp>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <unistd.h>

namespace exeat::cli {

namespace {

// Beside this program as it is built, or where it is installed: PREFIX/bin has the one and PREFIX/libexec/exeat the other.
constexpr std::array<const char*, 2> places{"exeatd", "../libexec/exeat/exeatd"};

} // namespace

// A signal that arrives meanwhile is kept: the mask and what waits outlive execve(2).
int become_exeatd(int, char** argv)
{
    ops::keep_early_signals();
    std::error_code failed;
    const auto here = std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
    std::string name = "exeatd";
    argv[0] = name.data();
    for (const auto* place : places) {
        const auto program = here / place;
        ::execv(program.c_str(), argv);
        if (errno == ENOENT) continue;
        print_error("exeat serve: cannot run {}: {}\n", ops::one_line(program.string()), std::generic_category().message(errno));
        return failure;
    }
    print_error("exeat serve: there is no exeatd, which serves: neither {} nor {} is there; install exeat again\n",
                ops::one_line((here / places[0]).string()), ops::one_line((here / places[1]).lexically_normal().string()));
    return failure;
}

} // namespace exeat::cli
