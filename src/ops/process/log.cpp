#include <exeat/enum_array.hpp>
#include <ops/process/log.hpp>
#include <ops/text/json_text.hpp>

#include <array>
#include <chrono>
#include <cstdlib>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

namespace exeat::ops {

namespace {

constexpr enum_array<severity, std::string_view, 3> words{"error", "warning", "notice"};
constexpr enum_array<severity, int, 3> priorities{3, 4, 5}; // sd-daemon(3)

// Escapes characters that could end, forge or hide a line; inside quotes also quotes and backslashes, which would end the value.
std::string escaped(std::string_view text, bool quoted = true)
{
    if (!quoted) return one_line(text);
    std::string out;
    append_json(out, text);
    return out.substr(1, out.size() - 2);
}

bool needs_quotes(std::string_view v) { return v.empty() || v.find_first_of(" =\"\\") != std::string_view::npos; }

} // namespace

event_log::event_log(log_format format) : format_{format}, priorities_{std::getenv("JOURNAL_STREAM") != nullptr} {}

std::string event_log::line(severity how, std::string_view event, std::initializer_list<field> fields, std::string_view time) const
{
    const auto word = words[how];
    if (format_ == log_format::json) {
        auto out = fmt::format(R"({{"time":"{}","level":"{}","event":"{}")", time, word, escaped(event));
        for (const auto& [name, value] : fields) out += fmt::format(R"(,"{}":"{}")", name, escaped(value));
        return out + "}";
    }
    if (format_ == log_format::logfmt) {
        auto out = fmt::format("time={} level={} event=\"{}\"", time, word, escaped(event));
        for (const auto& [name, value] : fields) {
            const auto safe = escaped(value);
            out += needs_quotes(safe) ? fmt::format(" {}=\"{}\"", name, safe) : fmt::format(" {}={}", name, safe);
        }
        return out;
    }
    auto out = how == severity::notice ? fmt::format("exeat: {}", escaped(event, false))
                                       : fmt::format("exeat: {}: {}", word, escaped(event, false));
    for (const auto& [name, value] : fields) out += fmt::format("; {}: {}", name, escaped(value, false));
    return out;
}

void event_log::say(severity how, std::string_view event, std::initializer_list<field> fields) const
{
    const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const auto time = fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
    auto text = line(how, event, fields, time) + '\n';
    if (priorities_) text.insert(0, fmt::format("<{}>", priorities[how]));
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size()); // there is nowhere to report a failure
}

} // namespace exeat::ops
