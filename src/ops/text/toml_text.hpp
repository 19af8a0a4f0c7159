// Values in TOML 1.0 syntax. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

// A basic string; everything that could end it is escaped.
std::string toml_text(std::string_view);

// A list: on the line of its key when it is short, otherwise one value per line.
template <class Items, class Word> std::string toml_array(const Items& items, Word word)
{
    constexpr std::size_t one_line = 3;
    std::string out = "[";
    const bool wrapped = items.size() > one_line;
    for (std::size_t i = 0; i < items.size(); ++i) {
        out += wrapped ? "\n    " : i == 0 ? "" : ", ";
        out += word(items[i]);
        if (wrapped) out += ",";
    }
    return out + (wrapped ? "\n]" : "]");
}

inline std::string toml_texts(const std::vector<std::string>& all)
{
    return toml_array(all, [](const std::string& s) { return toml_text(s); });
}

// Each adds one line "key = value", or nothing when there is no value.
void add_text(std::string& out, std::string_view key, std::string_view value);
void add_texts(std::string& out, std::string_view key, const std::vector<std::string>& values);
void add_ports(std::string& out, const std::vector<std::uint16_t>&);

} // namespace exeat::ops
