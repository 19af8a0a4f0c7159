#include <ops/text/section.hpp>

#include <ops/text/did_you_mean.hpp>
#include <ops/text/meant_value.hpp>
#include <ops/text/quantity.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace exeat::ops {

namespace {

bool one_line(std::string_view s) noexcept
{
    return std::none_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

bool printable(std::string_view s) noexcept
{
    return std::none_of(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\n') || c == '\x7f'; });
}

} // namespace

place section::where(std::string_view key) const
{
    const auto* n = of_.get(key);
    return n == nullptr ? where() : at(*n);
}

std::string section::in_title() const { return title_.empty() ? " at the top level" : " in " + title_; }

bool section::has(std::string_view key)
{
    known_.push_back(key);
    return of_.contains(key);
}

bool section::is(std::string_view key, std::string_view text) const
{
    const auto* s = of_.get_as<std::string>(key);
    return s != nullptr && s->get() == text;
}

const toml::node* section::find(toml_key key)
{
    known_.push_back(key.name);
    return of_.get(key.name);
}

void section::wrong_type(const toml::node& n, toml_key key, std::string_view wanted) const
{
    const auto meant = as_wanted(n, wanted);
    wrong_.error(at(n), fmt::format("'{}' must be {}, not {}; write {} = {}", key.name, wanted, kind_of(n), key.name,
                                    meant.empty() ? key.example : meant));
}

template <class T> const T* section::typed(toml_key key, std::string_view wanted)
{
    const auto* n = find(key);
    if (n == nullptr) return nullptr;
    if (const auto* value = n->as<T>()) return value;
    wrong_type(*n, key, wanted);
    return nullptr;
}

std::optional<std::string> section::text(toml_key key, std::size_t most)
{
    auto t = lines(key, most);
    if (t && !one_line(*t)) {
        reject(key.name, fmt::format("'{}' has a control character; write one plain line", key.name));
        return std::nullopt;
    }
    return t;
}

std::optional<std::string> section::lines(toml_key key, std::size_t most)
{
    auto t = octets(key, most);
    if (t && !printable(*t)) {
        reject(key.name, fmt::format("'{}' has a control character; write plain text", key.name));
        return std::nullopt;
    }
    return t;
}

std::optional<std::string> section::octets(toml_key key, std::size_t most)
{
    const auto* value = typed<toml::value<std::string>>(key, "text");
    if (value == nullptr) return std::nullopt;
    const std::string& s = value->get();
    if (s.empty()) reject(key.name, fmt::format("'{}' is empty; write {} = {} or remove it", key.name, key.name, key.example));
    else if (s.size() > most) reject(key.name, fmt::format("'{}' has {} octets; shorten it to {}", key.name, s.size(), most));
    else return s;
    return std::nullopt;
}

std::optional<bool> section::flag(toml_key key)
{
    const auto* value = typed<toml::value<bool>>(key, "true or false");
    return value == nullptr ? std::nullopt : std::optional{value->get()};
}

std::optional<std::int64_t> section::integer(toml_key key)
{
    const auto [least, most] = std::pair{key.bounds.least, key.bounds.most};
    const auto* value = typed<toml::value<std::int64_t>>(key, "a whole number");
    if (value == nullptr) return std::nullopt;
    if (value->get() >= least && value->get() <= most) return value->get();
    reject(key.name, fmt::format("'{}' is {}; write a number from {} to {}", key.name, value->get(), least, most));
    return std::nullopt;
}

std::optional<std::chrono::milliseconds> section::duration(toml_key key)
{
    const std::chrono::milliseconds least{key.bounds.least}, most{key.bounds.most};
    const auto* n = find(key);
    if (n == nullptr) return std::nullopt;
    if (const auto* bare = n->as_integer()) {
        reject(key.name,
               fmt::format("'{}' is a bare number; write it with a unit (ms s m h d): {} = \"{}s\"", key.name, key.name, bare->get()));
        return std::nullopt;
    }
    const auto* s = n->as_string();
    if (s == nullptr) {
        wrong_type(*n, key, "a duration");
        return std::nullopt;
    }
    const auto t = parse_duration(s->get());
    if (!t)
        reject(key.name, fmt::format("{} is not a duration; write a whole number and one unit (ms s m h d): {} = {}", as_shown(s->get()),
                                     key.name, key.example));
    else if (*t < least || *t > most)
        reject(key.name, fmt::format("'{}' is {}; write a duration from {} to {}", key.name, to_text(*t), to_text(least), to_text(most)));
    else return t;
    return std::nullopt;
}

std::optional<wall_time> section::moment(toml_key key)
{
    const auto* value = typed<toml::value<toml::date_time>>(key, "a date and time");
    if (value == nullptr) return std::nullopt;
    const auto& t = value->get();
    if (t.is_local()) {
        reject(key.name,
               fmt::format("'{}' has no time zone; write it with a Z: {} = {:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", key.name, key.name,
                           int{t.date.year}, int{t.date.month}, int{t.date.day}, int{t.time.hour}, int{t.time.minute}, int{t.time.second}));
        return std::nullopt;
    }
    using namespace std::chrono;
    const sys_days day{year{int{t.date.year}} / static_cast<int>(t.date.month) / static_cast<int>(t.date.day)};
    const auto local = hours{int{t.time.hour}} + minutes{int{t.time.minute}} + seconds{int{t.time.second}};
    return day + local - minutes{int{t.offset->minutes}};
}

std::optional<std::size_t> section::word(toml_key key, std::span<const std::string_view> choices)
{
    const auto* value = typed<toml::value<std::string>>(key, "text");
    if (value == nullptr) return std::nullopt;
    const auto found = std::find(choices.begin(), choices.end(), value->get());
    if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
    const auto fix = did_you_mean(value->get(), choices, "write one of them");
    reject(key.name, fmt::format("'{}' must be {}, not {}{}", key.name, listed(choices), as_shown(value->get()), fix));
    return std::nullopt;
}

std::optional<std::vector<located_text>> section::texts(toml_key key, std::size_t most)
{
    const auto* list = typed<toml::array>(key, "a list of text");
    if (list == nullptr) return std::nullopt;
    if (list->size() > most) {
        reject(key.name, fmt::format("'{}' has {} values; write {} at most", key.name, list->size(), most));
        return std::nullopt;
    }
    std::vector<located_text> out;
    out.reserve(list->size());
    for (const auto& n : *list) {
        if (const auto* s = n.as_string()) out.push_back({s->get(), at(n)});
        else
            wrong_.error(at(n),
                         fmt::format("'{}' is a list of text, and this is {}; write {} = {}", key.name, kind_of(n), key.name, key.example));
    }
    return out;
}

std::optional<std::vector<std::uint16_t>> section::ports(toml_key key)
{
    const auto* list = typed<toml::array>(key, "a list of port numbers");
    if (list == nullptr) return std::nullopt;
    if (list->empty()) reject(key.name, "'ports' is empty; write ports = [443] or remove it");
    if (list->size() > limits::ports_per_rule)
        reject(key.name, fmt::format("'ports' has {} values; write {} at most", list->size(), limits::ports_per_rule));
    std::vector<std::uint16_t> out;
    for (const auto& n : *list) {
        const auto* number = n.as_integer();
        if (number == nullptr || number->get() < 1 || number->get() > UINT16_MAX) {
            wrong_.error(at(n), objection_to_port(n));
            continue;
        }
        const auto port = static_cast<std::uint16_t>(number->get());
        if (std::find(out.begin(), out.end(), port) != out.end())
            wrong_.error(at(n), fmt::format("port {} is listed twice; remove one", port));
        else out.push_back(port);
    }
    return out;
}

const toml::table* section::table(toml_key key) { return typed<toml::table>(key, "a table"); }

std::vector<const toml::table*> section::tables(toml_key key, std::size_t most)
{
    std::vector<const toml::table*> out;
    const auto* n = find(key);
    if (n == nullptr) return out;
    const auto* list = n->as_array();
    if (list == nullptr) {
        wrong_.error(at(*n), fmt::format("'{}' is {}; write [[{}]] in double brackets, once for each", key.name, kind_of(*n), key.name));
        return out;
    }
    if (list->size() > most) reject(key.name, fmt::format("there are {} [[{}]]; write {} at most", list->size(), key.name, most));
    for (const auto& each : *list) {
        if (const auto* t = each.as_table()) out.push_back(t);
        else
            wrong_.error(at(each),
                         fmt::format("'{}' is a list of tables, and this is {}; write [[{}]]", key.name, kind_of(each), key.name));
    }
    return out;
}

void section::missing(toml_key key)
{
    wrong_.error(where(), fmt::format("'{}' is missing{}; add {} = {}", key.name, in_title(), key.name, key.example));
}

void section::elsewhere(std::string_view key, std::string_view where)
{
    if (find({key, ""}) != nullptr) reject(key, fmt::format("'{}' belongs {}", key, where));
}

void section::not_enforced(toml_key key)
{
    if (const auto* n = find(key)) wrong_.error(at(*n), fmt::format("'{}' is not enforced by this version; remove it", key.name));
}

void section::reject(std::string_view key, std::string text) const { wrong_.error(where(key), std::move(text)); }

void section::done()
{
    std::sort(known_.begin(), known_.end());
    known_.erase(std::unique(known_.begin(), known_.end()), known_.end());
    for (const auto& [key, value] : of_) {
        if (std::binary_search(known_.begin(), known_.end(), key.str())) continue;
        auto fix = title_.empty() ? std::string{known_elsewhere(key.str())} : std::string{};
        if (fix.empty()) fix = did_you_mean(key.str(), known_, "remove it, or write one of " + listed(known_));
        wrong_.error(at(key.source()), fmt::format("unknown key {}{}{}", as_shown(key.str()), in_title(), fix));
    }
}

} // namespace exeat::ops
