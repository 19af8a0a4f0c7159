// Splits octets that come in pieces into lines of a bounded size. One thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

class line_splitter {
public:
    explicit line_splitter(std::size_t most) : most_{most} {}

    void put(std::string_view piece)
    {
        seen_.erase(0, begin_);
        searched_ -= begin_;
        begin_ = 0;
        seen_ += piece;
    }

    // The next whole line without its newline, until put(); nothing: there is none yet, or it is too long.
    std::optional<std::string_view> next()
    {
        const auto end = seen_.find('\n', searched_);
        searched_ = end == seen_.npos ? seen_.size() : end;
        if (end == seen_.npos || too_long()) return std::nullopt;
        const auto line = std::string_view{seen_}.substr(begin_, end - begin_);
        begin_ = searched_ = end + 1;
        return line;
    }

    bool too_long() const noexcept { return searched_ - begin_ > most_; } // after next() returned nothing

private:
    const std::size_t most_;
    std::string seen_;
    std::size_t begin_ = 0, searched_ = 0; // of seen_: what was handed out; where no newline is
};

} // namespace exeat::ops
