#include <ops/identity/strict_json.hpp>

#include <ops/text/diagnostics.hpp>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <set>
#include <vector>

namespace exeat::ops {

namespace {

namespace json = boost::json;

// A handler of boost::json::basic_parser that looks at names only.
struct name_handler {
    static constexpr std::size_t max_object_size = std::size_t(-1), max_array_size = std::size_t(-1), max_key_size = std::size_t(-1),
                                 max_string_size = std::size_t(-1);

    std::vector<std::set<std::string>> open;
    std::string key, twice;

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) { return open.emplace_back(), true; }
    bool on_object_end(std::size_t, json::error_code&) { return open.pop_back(), true; }
    bool on_array_begin(json::error_code&) { return true; }
    bool on_array_end(std::size_t, json::error_code&) { return true; }
    bool on_key_part(json::string_view s, std::size_t, json::error_code&) { return key.append(s.data(), s.size()), true; }
    bool on_key(json::string_view s, std::size_t n, json::error_code& failed)
    {
        on_key_part(s, n, failed);
        if (open.back().insert(key).second) return key.clear(), true;
        twice = std::move(key);
        failed = json::error::syntax;
        return false;
    }
    bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
    bool on_double(double, json::string_view, json::error_code&) { return true; }
    bool on_bool(bool, json::error_code&) { return true; }
    bool on_null(json::error_code&) { return true; }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }
};

} // namespace

boost::system::result<json::value, std::string> parse_strict_json(std::string_view text, std::size_t depth)
{
    using outcome = boost::system::result<json::value, std::string>;
    const auto wrong = [](std::string why) { return outcome{boost::system::in_place_error, std::move(why)}; };
    json::parse_options strict;
    strict.max_depth = depth;
    json::basic_parser<name_handler> names{strict};
    json::error_code failed;
    const auto read = names.write_some(false, text.data(), text.size(), failed);
    if (!names.handler().twice.empty()) return wrong(fmt::format("has the name {} twice in one object", as_shown(names.handler().twice)));
    if (!failed && read < text.size()) return wrong(fmt::format("is not JSON at octet {}: something follows the value", read));
    if (failed) return wrong(fmt::format("is not JSON at octet {}: {}", read, failed.message()));
    auto value = json::parse(text, failed, {}, strict);
    if (failed) return wrong(fmt::format("is not JSON: {}", failed.message()));
    return outcome{boost::system::in_place_value, std::move(value)};
}

const json::object* object_at(const json::object& in, std::string_view name) noexcept
{
    const auto* found = in.if_contains(name);
    return found == nullptr ? nullptr : found->if_object();
}

const json::string* text_at(const json::object& in, std::string_view name) noexcept
{
    const auto* found = in.if_contains(name);
    return found == nullptr ? nullptr : found->if_string();
}

} // namespace exeat::ops
