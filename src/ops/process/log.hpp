// exeat's own log (not the audit log): one line per event on stderr, as plain text, logfmt or JSON; under systemd each line begins with its
// priority. Logs little while all is well. Any thread; a line is one write(2). Never called from a worker.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace exeat::ops {

enum class log_format : std::uint8_t { people, logfmt, json };
enum class severity : std::uint8_t { error, warning, notice };

class event_log {
public:
    using field = std::pair<std::string_view, std::string>;
    explicit event_log(log_format format);
    void say(severity, std::string_view event, std::initializer_list<field> fields = {}) const;

    // The line without its newline; for tests.
    std::string line(severity, std::string_view event, std::initializer_list<field> fields, std::string_view time) const;

private:
    log_format format_;
    bool priorities_; // stderr is the systemd journal
};

} // namespace exeat::ops
