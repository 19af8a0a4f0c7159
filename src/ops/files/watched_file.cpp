#include <ops/files/watched_file.hpp>

#include <cerrno>
#include <fmt/format.h>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace exeat::ops {

namespace {
// The device and the inode in a file_look's text.
std::string_view node(std::string_view look) noexcept { return look.substr(0, look.find('/')); }
} // namespace

file_look::file_look(const std::string& path)
{
    struct stat s {};
    if (::stat(path.c_str(), &s) != 0) {
        text = fmt::format("no {}", errno);
        return;
    }
    octets = static_cast<std::uint64_t>(s.st_size);
    written += std::chrono::seconds{s.st_mtim.tv_sec} +
               std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::nanoseconds{s.st_mtim.tv_nsec});
    text = fmt::format("{}.{}/{}.{}.{}.{}", s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_ctim.tv_nsec);
}

watched_file::watched_file(std::string p) : path{std::move(p)}, looked_{file_look{path}.text} {}

void watched_file::look_again()
{
    looked_ = file_look{path}.text;
    content.reset();
}

bool watched_file::changed() const { return file_look{path}.text != looked_; }

bool watched_file::replaced() const { return node(file_look{path}.text) != node(looked_); }

bool watched_file::shortened(const watched_file& before) const noexcept
{
    return content && before.content && node(looked_) == node(before.looked_) && content->begins(*before.content);
}

} // namespace exeat::ops
