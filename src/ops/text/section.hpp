// One table of a TOML file, read key by key into plain values. Every read marks its key as known; done() reports the others. Problems are
// reported to the diagnostics with a place and a fix, and the value then counts as absent. Refers to the table and the diagnostics; one
// thread.
#pragma once

#include <exeat/rule.hpp>
#include <ops/text/toml_source.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

inline constexpr std::array<std::string_view, 2> mode_words{"enforce", "report"}; // of a list, and of a group

// The bounds of a key's value: a number or a duration from `least` to `most`, or a list of at most `most` entries.
struct value_bounds {
    enum class unit : std::uint8_t { none, number, milliseconds, entries } of = unit::none;
    std::int64_t least = 0, most = 0;
};
consteval value_bounds between(std::int64_t least, std::int64_t most) { return {value_bounds::unit::number, least, most}; }
consteval value_bounds between(std::chrono::milliseconds least, std::chrono::milliseconds most)
{
    return {value_bounds::unit::milliseconds, least.count(), most.count()};
}
consteval value_bounds entries(std::size_t most) { return {value_bounds::unit::entries, 0, static_cast<std::int64_t>(most)}; }

struct toml_key {
    std::string_view name;
    std::string_view example; // a valid value, as written
    value_bounds bounds{};
};

struct located_text {
    std::string_view text;
    place at;
};

class section {
public:
    // `title` as in the file: "[limits]", "[[allow]]"; empty for the top level.
    section(const toml::table& of, std::string title, diagnostics& wrong) : of_{of}, title_{std::move(title)}, wrong_{wrong} {}

    bool has(std::string_view key);                             // also marks the key as known
    bool is(std::string_view key, std::string_view text) const; // whether the key has this text
    const toml::array* array(std::string_view key) const { return of_.get_as<toml::array>(key); }
    place where() const noexcept { return at(of_); }
    place where(std::string_view key) const; // of the value, or of the table where it is absent
    const std::string& title() const noexcept { return title_; }
    diagnostics& wrong() const noexcept { return wrong_; }

    std::optional<std::string> text(toml_key, std::size_t most = limits::text_octets);
    std::optional<std::string> lines(toml_key, std::size_t most = limits::text_octets);  // text that may have several lines
    std::optional<std::string> octets(toml_key, std::size_t most = limits::text_octets); // text that may contain any octets
    std::optional<bool> flag(toml_key);
    std::optional<std::int64_t> integer(toml_key); // within the key's bounds, like the next two
    std::optional<std::chrono::milliseconds> duration(toml_key);
    std::optional<std::vector<located_text>> texts(toml_key key) { return texts(key, static_cast<std::size_t>(key.bounds.most)); }
    std::optional<wall_time> moment(toml_key);
    std::optional<std::size_t> word(toml_key, std::span<const std::string_view> choices); // the index of the written word
    std::optional<std::vector<located_text>> texts(toml_key, std::size_t most);
    std::optional<std::vector<std::uint16_t>> ports(toml_key);
    const toml::table* table(toml_key);
    std::vector<const toml::table*> tables(toml_key, std::size_t most);

    void missing(toml_key);                                       // reports that a required key is missing
    void not_enforced(toml_key);                                  // reports a key that this version does not enforce
    void elsewhere(std::string_view key, std::string_view where); // reports a key that belongs to `where`
    void reject(std::string_view key, std::string text) const;    // reports a problem at the key's value
    void done();

private:
    const toml::node* find(toml_key);
    template <class T> const T* typed(toml_key, std::string_view wanted);
    void wrong_type(const toml::node&, toml_key, std::string_view wanted) const;
    std::string in_title() const;

    const toml::table& of_;
    std::string title_;
    diagnostics& wrong_;
    std::vector<std::string_view> known_;
};

} // namespace exeat::ops
