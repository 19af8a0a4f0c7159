#include <ops/offline/audit_reader.hpp>

#include <exeat/limits.hpp>
#include <ops/evidence/log_text.hpp>

namespace exeat::ops {

std::string audit_reader::read(const std::string& path)
{
    auto problem = read_log_text(path, [this](std::string_view piece) {
        bytes(piece);
        return true;
    });
    end();
    return problem;
}

void audit_reader::bytes(std::string_view text)
{
    for (auto newline = text.find('\n'); newline != text.npos; newline = text.find('\n')) {
        const auto part = text.substr(0, newline);
        text.remove_prefix(newline + 1);
        if (skipping_) skipping_ = false;
        else if (held_.empty()) line(part, counts_.foreign);
        else line(held_.append(part), counts_.foreign);
        held_.clear();
    }
    if (skipping_) return;
    held_.append(text);
    if (held_.size() <= limits::audit_line_bytes) return;
    ++counts_.foreign;
    skipping_ = true;
    held_.clear();
}

void audit_reader::end()
{
    if (!held_.empty()) line(held_, counts_.cut);
    held_.clear();
    skipping_ = false;
}

void audit_reader::line(std::string_view text, std::uint64_t& otherwise)
{
    const auto event = text.size() <= limits::audit_line_bytes ? read_event(text) : std::nullopt;
    ++(event ? counts_.events : otherwise);
    if (event) take_(*event);
}

} // namespace exeat::ops
