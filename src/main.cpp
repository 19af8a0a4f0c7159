// Dispatch to the verbs, and exit codes: 0 yes, 1 no, 2 wrong usage.
#include <cli/command.hpp>
#include <cli/output.hpp>
#include <ops/text/did_you_mean.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct verb {
    std::string_view name;
    int (*run)(int argc, char** argv);
};

constexpr std::array verbs{
    verb{"serve", exeat::cli::become_exeatd},
    verb{"check", exeat::cli::check},
    verb{"explain", exeat::cli::explain},
    verb{"diff", exeat::cli::diff},
    verb{"replay", exeat::cli::replay},
    verb{"suggest", exeat::cli::suggest},
    verb{"grant", exeat::cli::grant},
    verb{"grants", exeat::cli::grants},
    verb{"keygen", exeat::cli::keygen},
    verb{"sign", exeat::cli::sign},
    verb{"verify", exeat::cli::verify},
    verb{"version", exeat::cli::version},
    verb{"help", exeat::cli::help},
    verb{"import", exeat::cli::import},
    verb{"top", exeat::cli::top},
    verb{"quarantine", exeat::cli::quarantine},
    verb{"revoke", exeat::cli::revoke},
    verb{"preset", exeat::cli::preset},
    verb{"state", exeat::cli::state},
    verb{"identities", exeat::cli::identities},
};

int run(const verb& v, int argc, char** argv)
{
    try {
        return v.run(argc, argv);
    } catch (const std::exception& e) {
        exeat::cli::print_error("exeat {}: {}\n", v.name, exeat::ops::one_line(e.what()));
        return exeat::cli::failure;
    }
}

int no_such_verb(std::string_view asked)
{
    std::vector<std::string_view> names;
    for (const auto& v : verbs) names.push_back(v.name);
    if (!asked.empty())
        exeat::cli::print_error("exeat: there is no verb '{}'{}\n", exeat::ops::one_line(asked),
                                exeat::ops::did_you_mean(asked, names, "'exeat help' lists them"));
    std::string all;
    for (const auto name : names) (all += all.empty() ? "" : "|") += name;
    exeat::cli::print_error("usage: exeat {} ...; 'exeat help' says more\n", all);
    return exeat::cli::wrong_usage;
}

int run(int argc, char** argv)
{
    const std::string_view asked = argc > 1 ? argv[1] : "";
    const auto name = asked == "--help" || asked == "-h" ? "help" : asked == "--version" ? "version" : asked;
    const auto* v = std::find_if(verbs.begin(), verbs.end(), [name](const verb& x) { return x.name == name; });
    return v == verbs.end() ? no_such_verb(asked) : run(*v, argc - 1, argv + 1);
}

} // namespace

int main(int argc, char** argv)
{
    exeat::cli::hold_standard_descriptors();
    return exeat::cli::after_output(run(argc, argv));
}
