#include <ops/policy/hosts_file.hpp>

#include <exeat/limits.hpp>
#include <ops/files/end_mark.hpp>
#include <ops/files/file_source.hpp>
#include <ops/policy/verified_file.hpp>
#include <ops/text/host_text.hpp>
#include <ops/text/networks.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <system_error>

namespace exeat::ops {

namespace {

constexpr std::size_t block_bytes = 64 * 1024;
static_assert(limits::hosts_line_octets < block_bytes);

bool blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r'; }
bool is_blank(std::string_view line) noexcept { return std::all_of(line.begin(), line.end(), blank); }

class line_reader {
public:
    line_reader(const host_taker& take, const hosts_file_options& with, diagnostics& wrong) : take_{take}, with_{with}, wrong_{wrong} {}

    void read(std::string_view line)
    {
        ++number_;
        if (line.size() > limits::hosts_line_octets)
            return objection(1, fmt::format("the line has {} octets; one name a line", line.size()));
        if (number_ == 1 && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3); // a byte order mark
        const auto* const start = line.data();
        ended_ = is_hosts_end(line) || (ended_ && is_blank(line));
        line = line.substr(0, line.find('#'));
        while (!line.empty() && blank(line.front())) line.remove_prefix(1);
        while (!line.empty() && blank(line.back())) line.remove_suffix(1);
        if (line.empty()) return;
        const auto text = with_.take_network && written_as_network(line) ? take_network(line) : take_host(line);
        if (!text.empty()) objection(static_cast<std::uint32_t>(line.data() - start + 1), text);
    }
    void end()
    {
        if (with_.require_end && !ended_)
            wrong_.error(
                {}, "does not end with the line # end, which [policy] require_end requires, so it may be only a part of the file; copy it "
                    "again, or add the line");
    }
    std::uint32_t number() const noexcept { return number_; }

private:
    std::string take_host(std::string_view text) const
    {
        const auto host = host_pattern::parse(text);
        return host ? take_(*host) : explain_bad_host(text);
    }
    std::string take_network(std::string_view text) const
    {
        const auto network = parse_network(text);
        if (!network) return network.error();
        with_.take_network(*network);
        return {};
    }
    void objection(std::uint32_t column, std::string text) { wrong_.error({number_, column}, std::move(text)); }

    const host_taker& take_;
    const hosts_file_options& with_;
    diagnostics& wrong_;
    std::uint32_t number_ = 0;
    bool ended_ = false; // the last line that is not blank is the end mark
};

// Cuts blocks into lines; an unfinished line is kept for the next block.
class line_cutter {
public:
    line_cutter(line_reader& to, sha256_digest& digest, content_trace* said)
        : to_{to}, digest_{digest}, said_{said}, buffer_{std::make_unique_for_overwrite<char[]>(block_bytes)}
    {}

    std::span<char> room() noexcept { return {buffer_.get() + used_, block_bytes - used_}; }
    // Returns false when a line is too long.
    bool filled(std::size_t more)
    {
        std::string_view all{buffer_.get(), used_ + more};
        digest_.take(all.substr(used_));
        if (said_ != nullptr) said_->take(all.substr(used_));
        for (std::size_t end = all.find('\n', used_); end != all.npos; end = all.find('\n')) {
            to_.read(all.substr(0, end));
            all.remove_prefix(end + 1);
        }
        used_ = all.size();
        std::memmove(buffer_.get(), all.data(), used_);
        return used_ <= limits::hosts_line_octets;
    }
    bool take(std::string_view bytes)
    {
        while (!bytes.empty()) {
            const auto to = room();
            const auto n = std::min(to.size(), bytes.size());
            std::memcpy(to.data(), bytes.data(), n);
            bytes.remove_prefix(n);
            if (!filled(n)) return false;
        }
        return true;
    }
    void end()
    {
        if (used_ > 0) to_.read({buffer_.get(), used_});
        used_ = 0;
        to_.end();
    }

private:
    line_reader& to_;
    sha256_digest& digest_;
    content_trace* said_;
    std::unique_ptr<char[]> buffer_;
    std::size_t used_ = 0;
};

void too_long(const line_reader& lines, diagnostics& wrong)
{
    wrong.error({lines.number() + 1, 1}, "the line is too long; one name a line");
}

void read_lines(file_source& file, const line_reader& lines, line_cutter& cut, diagnostics& wrong)
{
    for (;;) {
        const auto got = file.read(cut.room());
        if (!got) return wrong.error({}, fmt::format("cannot be read: {}; check the file", std::generic_category().message(got.error())));
        if (*got == 0) return cut.end();
        if (!cut.filled(*got)) return too_long(lines, wrong);
    }
}

// Returns false when the file is not what was approved: nothing that was read from it may be used then.
bool read_lines(verified_file& file, const line_reader& lines, line_cutter& cut, diagnostics& wrong)
{
    for (;;) {
        const auto bytes = file.next();
        if (!bytes) return wrong.error({}, bytes.error()), false;
        if (bytes->empty()) return cut.end(), true;
        if (!cut.take(*bytes)) return too_long(lines, wrong), true;
    }
}

} // namespace

sha256_digest::value read_hosts_file(const std::string& path, const host_taker& take, diagnostics& wrong, const hosts_file_options& with)
{
    sha256_digest digest;
    line_reader lines{take, with, wrong};
    line_cutter cut{lines, digest, with.said};
    if (with.sha256.empty()) {
        auto file = file_source::open(path, limits::hosts_file_bytes);
        if (!file) return wrong.error({}, file.error()), sha256_digest::value{};
        read_lines(*file, lines, cut, wrong);
    } else {
        auto file = verified_file::open(with.read_from.empty() ? path : with.read_from, limits::hosts_file_bytes, with.sha256);
        if (!file) wrong.error({}, file.error());
        const bool approved = file && read_lines(*file, lines, cut, wrong);
        if (with.unapproved != nullptr && !approved) *with.unapproved = true;
        if (!approved) return {};
    }
    const auto value = digest.finish();
    if (!value) wrong.error({}, "its SHA-256 could not be taken; check the OpenSSL installation");
    return value.value_or(sha256_digest::value{});
}

} // namespace exeat::ops
