#include <cli/describe.hpp>
#include <cli/output.hpp>

#include <boost/json/array.hpp>

#include <fmt/core.h>

namespace exeat::cli {

namespace {

boost::json::array names(const CLI::Option& o)
{
    boost::json::array out;
    for (const auto& n : o.get_snames()) out.push_back(boost::json::string{"-" + n});
    for (const auto& n : o.get_lnames()) out.push_back(boost::json::string{"--" + n});
    return out;
}

boost::json::object describe(const CLI::Option& o)
{
    return {{"names", names(o)},
            {"positional", o.get_positional() ? o.get_name(true) : std::string{}},
            {"type", o.get_type_name()}, // with its choices, in CLI11's notation
            {"takes_value", o.get_items_expected_max() > 0},
            {"required", o.get_required()},
            {"repeated", o.get_items_expected_max() > 1},
            {"standard", o.get_default_str()},
            {"meaning", o.get_description()}};
}

} // namespace

boost::json::object describe(const CLI::App& app)
{
    boost::json::array options, kinds;
    for (const auto* o : app.get_options()) options.push_back(describe(*o));
    for (const auto* kind : app.get_subcommands([](const CLI::App*) { return true; })) {
        auto of = describe(*kind);
        of["name"] = kind->get_name();
        of["meaning"] = kind->get_description();
        kinds.push_back(std::move(of));
    }
    return {{"options", std::move(options)}, {"kinds", std::move(kinds)}};
}

boost::json::object describe(const ops::configuration_file& f)
{
    boost::json::array tables;
    for (const auto& t : f.tables) {
        boost::json::array keys;
        for (const auto& k : t.keys)
            keys.push_back(boost::json::object{{"name", k.name},
                                               {"type", k.type},
                                               {"standard", k.standard},
                                               {"bounds", ops::to_text(k.bounds)},
                                               {"meaning", k.meaning},
                                               {"example", k.example}});
        tables.push_back(boost::json::object{{"title", t.title}, {"also", t.also}, {"meaning", t.meaning}, {"keys", std::move(keys)}});
    }
    return {{"name", f.name}, {"line", f.line}, {"meaning", f.meaning}, {"tables", std::move(tables)}};
}

} // namespace exeat::cli
