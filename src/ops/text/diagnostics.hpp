// Collects the problems of one file, up to a limit; further ones are only counted and reported at the end. One thread.
#pragma once

#include <exeat/limits.hpp>
#include <ops/text/problem.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::ops {

struct place { // from 1; 0: the whole file
    std::uint32_t line = 0, column = 0;
};

class diagnostics {
public:
    explicit diagnostics(std::string file, std::size_t most = limits::problems) : file_{std::move(file)}, most_{most} {}

    void error(place, std::string text);
    void warning(place, std::string text);

    const std::string& file() const noexcept { return file_; }
    bool failed() const noexcept { return failed_; }
    bool full() const noexcept { return found_.size() >= most_; }
    // Moves all problems to the end of `out`, sorted by place.
    void move_to(std::vector<problem>& out);

private:
    void add(place, problem::weight, std::string text);

    std::string file_;
    std::size_t most_;
    std::size_t more_ = 0;
    bool failed_ = false;
    std::vector<problem> found_;
};

// Text from a file, safe to print: quoted, cut to 80 octets, everything but printable ASCII escaped.
std::string as_shown(std::string_view text);

} // namespace exeat::ops
