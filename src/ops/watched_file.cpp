#include <ops/watched_file.hpp>

#include <cerrno>
#include <fmt/format.h>
#include <sys/stat.h>
#include <utility>

namespace exeat::ops {

namespace {
std::string look(const std::string& path)
{
    struct stat s {};
    if (::stat(path.c_str(), &s) != 0) return fmt::format("no {}", errno);
    return fmt::format("{}.{}.{}.{}.{}.{}", s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_ctim.tv_nsec);
}
} // namespace

watched_file::watched_file(std::string p) : path{std::move(p)}, looked_{look(path)} {}

bool watched_file::changed() const { return look(path) != looked_; }

} // namespace exeat::ops
