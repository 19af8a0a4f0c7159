// What may stand in exeat.toml and in allowlist.toml, said once: `exeat help FILE`, the manual pages and the tests read it here. Values.
#pragma once

#include <span>
#include <string_view>

namespace exeat::cli {

struct documented_key {
    std::string_view name, type;
    std::string_view standard; // what holds without it; "required" where there must be one
    std::string_view meaning;
    std::string_view example; // the value, as written
};

struct documented_table {
    std::string_view title; // as the file writes it: "[limits]", "[[allow]]"; empty for the top level
    std::string_view also;  // the title of a table whose keys it has too
    std::string_view meaning;
    std::span<const documented_key> keys;
};

struct documented_file {
    std::string_view name, line, meaning; // meaning: paragraphs, an empty line between them
    std::span<const documented_table> tables;
};

const documented_file& exeat_toml() noexcept;
const documented_file& allowlist_toml() noexcept;

} // namespace exeat::cli
