// What holds of everything that exeat says about a file which a person wrote.
#pragma once

#include "property.hpp"

#include <ops/text/problem.hpp>

#include <algorithm>
#include <string_view>
#include <vector>

namespace exeat::fuzz {

inline std::string_view line_of(std::string_view file, std::uint32_t number)
{
    while (--number > 0) {
        const auto end = file.find('\n');
        if (end == file.npos) return {};
        file.remove_prefix(end + 1);
    }
    return file.substr(0, file.find('\n'));
}

inline bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

inline void check_places(std::string_view file, const std::vector<ops::problem>& all)
{
    const auto lines = static_cast<std::size_t>(std::count(file.begin(), file.end(), '\n')) + 1;
    for (const auto& p : all) {
        must(!p.text.empty(), "a problem is told in words");
        must(std::none_of(p.text.begin(), p.text.end(), control), "on one line that changes no terminal");
        if (p.line == 0) continue;
        must(p.line <= lines, "a problem's line is one of the file's");
        must(p.column <= line_of(file, p.line).size() + 2, "a problem's column is one of its line's, or where it ends");
    }
}

inline void check_same(const std::vector<ops::problem>& a, const std::vector<ops::problem>& b)
{
    const auto same = [](const ops::problem& x, const ops::problem& y) {
        return x.line == y.line && x.column == y.column && x.how == y.how && x.text == y.text;
    };
    must(std::equal(a.begin(), a.end(), b.begin(), b.end(), same), "the same file has the same problems");
}

} // namespace exeat::fuzz
