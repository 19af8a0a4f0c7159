// Reads the end of an audit log's file, for the process that continues it. Blocks.
#include <exeat/limits.hpp>
#include <net/sockets/unique_fd.hpp>
#include <ops/evidence/audit_chain.hpp>
#include <ops/evidence/audit_file.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace exeat::ops {

namespace {

constexpr std::size_t usual_window = 2 * limits::audit_line_bytes;
constexpr std::size_t search_window = 1024 * 1024;
static_assert(usual_window < limits::audit_fragment_bytes && search_window > usual_window);

std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

// A regular file that is not empty.
struct opened_log {
    net::unique_fd fd;
    std::uint64_t size = 0;
};

boost::system::result<opened_log, std::error_code> open_log(const std::string& path)
{
    opened_log out{net::unique_fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)}, 0};
    struct stat about {};
    if (!out.fd || ::fstat(out.fd.value(), &about) != 0) return last_error();
    if (!S_ISREG(about.st_mode) || about.st_size == 0) return std::make_error_code(std::errc::no_message_available);
    out.size = static_cast<std::uint64_t>(about.st_size);
    return out;
}

// The octets from `at` on, at most `most` of them.
boost::system::result<std::string, std::error_code> part(const opened_log& log, std::uint64_t at, std::size_t most)
{
    std::string text(std::min<std::uint64_t>(log.size - at, most), '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const auto got = ::pread(log.fd.value(), text.data() + size, text.size() - size, static_cast<off_t>(at + size));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return last_error();
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    text.resize(size);
    return text;
}

// The line that ends at `end`, the position of a newline or of the end of the text.
std::string_view line_before(std::string_view text, std::size_t end) noexcept
{
    const auto newline = end == 0 ? text.npos : text.rfind('\n', end - 1);
    const auto from = newline == text.npos ? 0 : newline + 1;
    return text.substr(from, end - from);
}

// Absent: `text` has no line of an audit log. `whole`: `text` starts at the beginning of the file.
std::optional<audit_tail> tail_of(std::string_view text, bool whole)
{
    const auto all = text.ends_with('\n') ? text.substr(0, text.size() - 1) : text; // only the newline of a line may be missing
    for (auto end = all.size();;) {
        const auto line = line_before(all, end);
        const auto from = end - line.size();
        if (from == 0 && !whole) return std::nullopt; // the line may begin before `text`
        const auto link = line.size() <= limits::audit_line_bytes ? read_link(line) : std::nullopt;
        if (link) return audit_tail{std::string{line}, std::string{all.substr(std::min(end + 1, all.size()))}, link->sequence};
        if (from == 0) return std::nullopt;
        end = from - 1;
    }
}

// For a file without a line of an audit log: the last complete line, and the fragment after it.
audit_tail tail_of_other(std::string_view text, bool whole)
{
    audit_tail out;
    const auto newline = text.rfind('\n');
    if (newline != text.npos) out.last_whole = line_before(text, newline);
    if (text.ends_with('\n')) text.remove_suffix(1);
    out.fragment = whole ? text : line_before(text, text.size());
    return out;
}

std::string_view line_at(std::string_view text, std::size_t at) noexcept
{
    const auto newline = text.rfind('\n', at);
    const auto from = newline == text.npos ? 0 : newline + 1;
    return text.substr(from, std::min(text.find('\n', at), text.size()) - from);
}

} // namespace

boost::system::result<audit_tail, std::error_code> read_audit_tail(const std::string& path)
{
    const auto log = open_log(path);
    if (!log) return log.error();
    for (const auto window : {usual_window, limits::audit_fragment_bytes}) {
        const auto from = log->size - std::min<std::uint64_t>(log->size, window);
        const auto text = part(*log, from, window);
        if (!text) return text.error();
        if (auto found = tail_of(*text, from == 0)) return std::move(*found);
        if (from == 0 || window == limits::audit_fragment_bytes) return tail_of_other(*text, from == 0);
    }
    return audit_tail{};
}

audit_line_found find_audit_line(const std::string& path, std::uint64_t number)
{
    const auto log = open_log(path);
    const auto wanted = "\"event.sequence\":" + std::to_string(number) + ","; // text from a client has only escaped quotation marks
    for (auto end = log ? log->size : 0; end > 0;) {
        const auto from = end - std::min<std::uint64_t>(end, search_window);
        const auto text =
            part(*log, from, search_window + 2 * limits::audit_line_bytes); // a line may begin in this window and end in the next
        if (!text) return {};
        for (auto at = text->rfind(wanted); at != std::string::npos; at = at == 0 ? std::string::npos : text->rfind(wanted, at - 1)) {
            const auto line = line_at(*text, at);
            const auto link = read_link(line);
            const auto behind = static_cast<std::uint64_t>(line.data() - text->data()) + line.size() + 1;
            if (link && link->sequence == number) return {std::string{line}, from + behind};
        }
        end = from == 0 ? 0 : from;
    }
    return {};
}

bool read_audit_lines(const std::string& path, std::uint64_t from, const std::function<bool(std::string_view)>& take)
{
    const auto log = open_log(path);
    if (!log) return log.error() == std::errc::no_message_available;
    while (from < log->size) {
        const auto text = part(*log, from, search_window);
        if (!text || text->empty()) return false;
        const auto whole = text->rfind('\n');
        const auto taken = from + text->size() >= log->size || whole == text->npos ? text->size() : whole + 1;
        for (std::string_view rest = std::string_view{*text}.substr(0, taken); !rest.empty();) {
            const auto line = rest.substr(0, rest.find('\n'));
            if (!take(line)) return true;
            rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        }
        from += taken;
    }
    return true;
}

} // namespace exeat::ops
