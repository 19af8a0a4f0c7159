#include <ops/audit_reader.hpp>

#include <exeat/limits.hpp>
#include <net/unique_fd.hpp>

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <system_error>
#include <unistd.h>
#include <zlib.h>

namespace exeat::ops {

namespace {

struct close_gz {
    void operator()(gzFile file) const noexcept { ::gzclose_r(file); }
};
using gz_file = std::unique_ptr<gzFile_s, close_gz>;

std::string said(int error) { return "cannot be read: " + std::generic_category().message(error); }

int opened(const std::string& path) noexcept { return path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }

std::string trouble(gzFile file)
{
    int error = Z_OK;
    const char* text = ::gzerror(file, &error);
    if (error == Z_OK || error == Z_STREAM_END) return {};
    if (error == Z_ERRNO) return said(errno);
    return error == Z_BUF_ERROR ? "is cut within its compressed data" : std::string{"is damaged: "} + text;
}

} // namespace

std::string audit_reader::read(const std::string& path)
{
    net::unique_fd fd{opened(path)};
    if (!fd) return said(errno);
    const gz_file file{::gzdopen(fd.value(), "rb")}; // what is not gzip is read as it is
    if (!file) return said(ENOMEM);
    fd.release();
    std::string chunk(64 * 1024, '\0');
    for (;;) {
        const int n = ::gzread(file.get(), chunk.data(), static_cast<unsigned>(chunk.size()));
        if (n <= 0) break;
        bytes({chunk.data(), static_cast<std::size_t>(n)});
    }
    auto problem = trouble(file.get());
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
