#include <cli/live/answer_part.hpp>

#include <ops/text/utc.hpp>

#include <boost/json.hpp>

#include <algorithm>

namespace exeat::cli::live {

namespace json = boost::json;

namespace {

const json::value nothing{};
const json::array none{};
const json::object empty{};

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

} // namespace

answer_part::answer_part(const json::value& from, std::string path, reading& r)
    : fields_{from.is_object() ? &from.get_object() : &empty}, path_{std::move(path)}, read_{&r}
{
    if (!from.is_object() && read_->wrong.empty()) read_->wrong = fmt::format("{} is not an object", path_.empty() ? "it" : path_);
}

std::string answer_part::path_of(std::string_view key) const { return path_.empty() ? std::string{key} : fmt::format("{}.{}", path_, key); }

void answer_part::complain(std::string_view key, std::string_view what)
{
    if (read_->wrong.empty()) read_->wrong = fmt::format("{} {}", path_of(key), what);
}

const json::value& answer_part::value(std::string_view key)
{
    if (const auto* found = fields_->if_contains({key.data(), key.size()})) return *found;
    complain(key, "is missing");
    return nothing;
}

const json::array& answer_part::array(std::string_view key)
{
    const auto& v = value(key);
    if (!v.is_array()) complain(key, "is not a list");
    else if (v.get_array().size() > limits::top_rows) complain(key, fmt::format("has more than {} rows", limits::top_rows));
    else return v.get_array();
    return none;
}

bool answer_part::is_null(std::string_view key) { return value(key).is_null(); }

std::uint64_t answer_part::count(std::string_view key)
{
    boost::system::error_code failed;
    const auto& v = value(key);
    if (v.is_int64() || v.is_uint64()) {
        const auto n = v.to_number<std::uint64_t>(failed);
        if (!failed) return n;
    }
    complain(key, "is not a count");
    return 0;
}

double answer_part::number(std::string_view key)
{
    boost::system::error_code failed;
    const auto& v = value(key);
    const auto n = v.is_number() ? v.to_number<double>(failed) : 0;
    if (!v.is_number() || failed) complain(key, "is not a number");
    return n;
}

std::chrono::seconds answer_part::seconds(std::string_view key)
{
    constexpr double most = 1'000 * 31'556'952.0;
    return std::chrono::seconds{static_cast<std::int64_t>(std::clamp(number(key), 0.0, most))};
}

bool answer_part::flag(std::string_view key)
{
    const auto& v = value(key);
    if (!v.is_bool()) complain(key, "is neither true nor false");
    return v.is_bool() && v.get_bool();
}

std::string answer_part::text(std::string_view key)
{
    const auto& v = value(key);
    if (!v.is_string()) complain(key, "is not text");
    return v.is_string() ? printable(view(v.get_string()), read_->can) : std::string{};
}

std::string answer_part::text_or_null(std::string_view key) { return is_null(key) ? std::string{} : text(key); }

wall_time answer_part::time(std::string_view key)
{
    const auto& v = value(key);
    const auto at = v.is_string() ? ops::parse_utc(view(v.get_string())) : std::nullopt;
    if (!at) complain(key, "is not a time");
    return at.value_or(wall_time{});
}

std::optional<wall_time> answer_part::time_or_null(std::string_view key) { return is_null(key) ? std::nullopt : std::optional{time(key)}; }

std::vector<std::string> answer_part::texts(std::string_view key)
{
    std::vector<std::string> out;
    for (const auto& each : array(key)) {
        if (!each.is_string()) complain(key, "has a value that is not text");
        else out.push_back(printable(view(each.get_string()), read_->can));
    }
    return out;
}

answer_part answer_part::object(std::string_view key) { return {value(key), path_of(key), *read_}; }

std::optional<answer_part> answer_part::object_or_null(std::string_view key)
{
    return is_null(key) ? std::nullopt : std::optional{object(key)};
}

} // namespace exeat::cli::live
