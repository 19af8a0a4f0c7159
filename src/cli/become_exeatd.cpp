#include <cli/command.hpp>
#include <cli/output.hpp>
#include <ops/process/block_signals.hpp>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <sys/auxv.h>
#include <system_error>
#include <unistd.h>

namespace exeat::cli {

namespace {

// Relative to this program: in the same directory when it was built, or installed in PREFIX/libexec/exeat while this one is in PREFIX/bin.
constexpr std::array<const char*, 2> places{"exeatd", "../libexec/exeat/exeatd"};

// The directory of this program; taken from the path that it was called by when /proc is not mounted.
std::filesystem::path here()
{
    std::error_code failed;
    const auto linked = std::filesystem::read_symlink("/proc/self/exe", failed);
    if (!failed) return linked.parent_path();
    const auto* called = reinterpret_cast<const char*>(::getauxval(AT_EXECFN)); // NOLINT: a number by getauxval(3)'s contract
    return std::filesystem::weakly_canonical(called, failed).parent_path();
}

} // namespace

// A signal that arrives meanwhile stays pending: execve(2) preserves the mask and pending signals.
int become_exeatd(int, char** argv)
{
    ops::keep_early_signals();
    const auto from = here();
    std::string name = "exeatd";
    argv[0] = name.data();
    for (const auto* place : places) {
        const auto program = from / place;
        ::execv(program.c_str(), argv);
        if (errno == ENOENT) continue;
        print_error("exeat serve: cannot run {}: {}\n", ops::one_line(program.string()), std::generic_category().message(errno));
        return failure;
    }
    print_error("exeat serve: there is no exeatd, which serves: neither {} nor {} is there; install exeat again\n",
                ops::one_line((from / places[0]).string()), ops::one_line((from / places[1]).lexically_normal().string()));
    return failure;
}

} // namespace exeat::cli
