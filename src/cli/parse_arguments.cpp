#include <cli/parse_arguments.hpp>

#include <ops/text/did_you_mean.hpp>

#include <fmt/format.h>

namespace exeat::cli {

namespace {

constexpr std::string_view example = "Example: ";

// The description of each verb ends with an example.
std::string example_of(const CLI::App& app)
{
    const auto text = app.get_description();
    const auto at = text.find(example);
    return at == text.npos ? std::string{} : "; example: " + text.substr(at + example.size());
}

std::string missing(const CLI::App& app, std::string_view name)
{
    for (const auto* o : app.get_options())
        if (o->get_name() == name && !o->get_description().empty())
            return fmt::format("{}: {} is missing: {}{}", app.get_name(), name, o->get_description(), example_of(app));
    return {};
}

std::string mistyped(const CLI::App& app)
{
    const auto rest = app.remaining();
    if (rest.empty() || !rest.front().starts_with("--")) return {};
    const auto written = rest.front().substr(2, rest.front().find('=') - 2);
    std::vector<std::string> names;
    for (const auto* o : app.get_options())
        for (const auto& n : o->get_lnames()) names.push_back(n);
    const std::vector<std::string_view> known(names.begin(), names.end());
    const auto near = ops::nearest_word(written, known);
    if (near.empty()) return {};
    return fmt::format("{}: there is no option --{}; did you mean '--{}'?", app.get_name(), ops::one_line(written), near);
}

} // namespace

std::string how_to_call(const CLI::App& app, const CLI::ParseError& e)
{
    constexpr std::string_view required = " is required";
    const std::string_view what = e.what();
    if (dynamic_cast<const CLI::RequiredError*>(&e) != nullptr && what.ends_with(required))
        return missing(app, what.substr(0, what.size() - required.size()));
    return dynamic_cast<const CLI::ExtrasError*>(&e) != nullptr ? mistyped(app) : std::string{};
}

} // namespace exeat::cli
