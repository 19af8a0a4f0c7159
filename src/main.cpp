// Wiring of verbs and exit codes only: 0 yes, 1 no, 2 wrong usage.
#include <cli/command.hpp>

#include <array>
#include <cstdio>
#include <exception>
#include <string_view>
#include <utility>

namespace {

struct verb {
    std::string_view name;
    int (*run)(int argc, char** argv);
};

constexpr std::array verbs{
    verb{"serve", exeat::cli::serve}, verb{"check", exeat::cli::check},   verb{"explain", exeat::cli::explain},
    verb{"diff", exeat::cli::diff},   verb{"replay", exeat::cli::replay}, verb{"suggest", exeat::cli::suggest},
    verb{"grant", exeat::cli::grant}, verb{"grants", exeat::cli::grants}, verb{"keygen", exeat::cli::keygen},
    verb{"sign", exeat::cli::sign},   verb{"verify", exeat::cli::verify}, verb{"version", exeat::cli::version},
    verb{"help", exeat::cli::help},   verb{"import", exeat::cli::import}, verb{"top", exeat::cli::top},
};

} // namespace

int main(int argc, char** argv)
{
    const std::string_view asked = argc > 1 ? argv[1] : "";
    if (asked == "--help" || asked == "-h") return exeat::cli::help(argc - 1, argv + 1);
    if (asked == "--version") return exeat::cli::version(argc - 1, argv + 1);
    for (const auto& v : verbs)
        if (v.name == asked) try {
                return v.run(argc - 1, argv + 1);
            } catch (const std::exception& e) {
                std::fprintf(stderr, "exeat %s: %s\n", argv[1], e.what());
                return 1;
            }
    if (!asked.empty()) std::fprintf(stderr, "exeat: there is no verb '%s'\n", argv[1]);
    std::fputs("usage: exeat", stderr);
    char before = ' ';
    for (const auto& v : verbs) std::fprintf(stderr, "%c%s", std::exchange(before, '|'), v.name.data());
    std::fputs(" ...; 'exeat help' says more\n", stderr);
    return 2;
}
