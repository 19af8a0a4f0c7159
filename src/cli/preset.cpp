#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <embedded.hpp>
#include <ops/text/diagnostics.hpp>
#include <ops/text/did_you_mean.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <vector>

namespace exeat::cli {

namespace {

// What follows this line in a preset is allowed only in a whole list: groups and [[expect]].
constexpr std::string_view whole_list_only = "\n# ---- The rest makes it a list of its own";

std::vector<std::string_view> names()
{
    std::vector<std::string_view> out;
    for (const auto& p : embedded::presets) out.push_back(p.name);
    return out;
}

const embedded::preset* find(std::string_view name)
{
    const auto& all = embedded::presets;
    const auto found = std::find_if(all.begin(), all.end(), [name](const auto& p) { return p.name == name; });
    return found == all.end() ? nullptr : &*found;
}

std::string unknown(const std::string& name)
{
    if (find(name) != nullptr) return {};
    return fmt::format("there is no preset {}{}", ops::as_shown(name), ops::did_you_mean(name, names(), "'exeat preset' lists them all"));
}

// The first line, after "# ", says what the preset is for.
std::string_view title(std::string_view text) { return text.substr(2, text.find('\n') - 2); }

void list()
{
    for (const auto& p : embedded::presets) print_out("{:<20} {}\n", p.name, title(p.text));
}

} // namespace

int preset(int argc, char** argv)
{
    CLI::App app{"Prints an allowlist that comes with exeat, or lists them all. Example: exeat preset --part python "
                 ">/etc/exeat/allowlist.d/python.toml",
                 "exeat preset"};
    std::string name;
    bool part = false, all = false;
    auto* named = app.add_option("NAME", name, "the preset to print; without it they are listed")
                      ->check(CLI::Validator(unknown, fmt::format("{{{}}}", fmt::join(names(), ","))));
    app.add_flag("--part", part, "without groups and [[expect]]: a file for allowlist.d, or to paste into a list")->needs(named);
    app.add_flag("--list", all, "list the presets")->excludes(named);
    if (const auto stop = parse_arguments(app, argc, argv)) return *stop;
    if (name.empty()) return list(), success;
    const auto text = find(name)->text;
    write_out(part ? text.substr(0, text.find(whole_list_only)) : text);
    return success;
}

} // namespace exeat::cli
