// Strict reading of one object of an answer. The first mistake is kept, with its path; later reads return empty values. One thread; the
// JSON value and the reading outlive this object.
#pragma once

#include <cli/live/printable.hpp>
#include <exeat/limits.hpp>
#include <exeat/rule.hpp>

#include <boost/json/value.hpp>

#include <chrono>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::cli::live {

struct reading {
    charset can;
    std::string wrong; // empty: no mistake
};

class answer_part {
public:
    answer_part(const boost::json::value&, std::string path, reading&);

    std::uint64_t count(std::string_view key);
    double number(std::string_view key);
    std::chrono::seconds seconds(std::string_view key); // rounded down; at most a thousand years
    bool flag(std::string_view key);
    std::string text(std::string_view key);
    std::string text_or_null(std::string_view key); // empty for null
    wall_time time(std::string_view key);
    std::optional<wall_time> time_or_null(std::string_view key);
    std::vector<std::string> texts(std::string_view key);
    answer_part object(std::string_view key);
    std::optional<answer_part> object_or_null(std::string_view key);

    // The results of `read` for each object of a list.
    template <class Value> std::vector<Value> list(std::string_view key, Value (*read)(answer_part))
    {
        std::vector<Value> out;
        const auto& all = array(key);
        for (std::size_t i = 0; i < all.size() && read_->wrong.empty(); ++i)
            out.push_back(read({all[i], fmt::format("{}[{}]", path_of(key), i), *read_}));
        return out;
    }

private:
    const boost::json::value& value(std::string_view key);
    const boost::json::array& array(std::string_view key);
    bool is_null(std::string_view key);
    std::string path_of(std::string_view key) const;
    void complain(std::string_view key, std::string_view what);

    const boost::json::object* fields_;
    std::string path_;
    reading* read_;
};

} // namespace exeat::cli::live
