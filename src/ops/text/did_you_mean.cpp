#include <ops/text/did_you_mean.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <vector>

namespace exeat::ops {

namespace {

// Levenshtein distance, one row at a time.
std::size_t edits(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const auto change = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

} // namespace

std::string_view nearest_word(std::string_view written, std::span<const std::string_view> known)
{
    if (written.size() > limits::rule_name_octets) return {};
    std::string_view best;
    std::size_t least = written.size() <= 3 ? 2 : 3;
    for (const auto word : known)
        if (const auto n = edits(written, word); n < least) least = n, best = word;
    return best;
}

std::string did_you_mean(std::string_view written, std::span<const std::string_view> known, std::string_view otherwise)
{
    if (const auto near = nearest_word(written, known); !near.empty()) return fmt::format("; did you mean '{}'?", near);
    return fmt::format("; {}", otherwise);
}

std::string listed(std::span<const std::string_view> words)
{
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i)
        out += fmt::format("{}'{}'", i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", words[i]);
    return out;
}

} // namespace exeat::ops
