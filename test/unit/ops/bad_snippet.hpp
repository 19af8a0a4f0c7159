// A wrong file, and where and how it must be complained about.
#pragma once

#include <doctest/doctest.h>
#include <ops/text/problem.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

struct bad_snippet {
    std::string_view text;
    unsigned line, column;
    std::string_view says; // a part of the complaint
};

// The complaint is there, is an error, stands at its place and says how to fix it.
inline void check_complaint(const bad_snippet& bad, const std::vector<exeat::ops::problem>& problems)
{
    std::string all;
    for (const auto& p : problems) all += p.to_string() + "\n";
    INFO(bad.text);
    INFO(all);
    const auto found =
        std::find_if(problems.begin(), problems.end(), [&](const exeat::ops::problem& p) { return p.text.find(bad.says) != p.text.npos; });
    REQUIRE(found != problems.end());
    CHECK(found->how == exeat::ops::problem::weight::error);
    CHECK(found->line == bad.line);
    CHECK(found->column == bad.column);
    CHECK_MESSAGE(found->text.find(';') != found->text.npos, "no fix");
}
