#include <ops/start_paths.hpp>

#include <ops/state/quarantine_file.hpp>
#include <ops/text/formats.hpp>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace exeat::ops {

namespace {

namespace fs = std::filesystem;

std::string words_of(int error) { return std::generic_category().message(error); }

// Why files cannot be created in the directory; empty when they can.
std::string objection_to_directory(const std::string& path, std::string_view key)
{
    struct stat about {};
    const auto other = fmt::format("or name another {}", key);
    if (::stat(path.c_str(), &about) != 0 && errno == ENOENT)
        return fmt::format("the directory {} does not exist; make it (exeat.service makes /var/log/exeat and /var/lib/exeat), {}", path,
                           other);
    if (::stat(path.c_str(), &about) != 0) return fmt::format("{}: {}; let uid {} into it, {}", path, words_of(errno), ::geteuid(), other);
    if (!S_ISDIR(about.st_mode)) return fmt::format("{} is not a directory; move it away, {}", path, other);
    if (::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return {};
    return fmt::format("uid {} cannot write into {}: {}; give the directory to the user of exeat and check as that user, {}", ::geteuid(),
                       path, words_of(errno), other);
}

// Why the audit log cannot be opened as it is; empty when it can, or when it is not there.
std::string objection_to_log(const std::string& path)
{
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) {
        std::error_code failed;
        const auto to = fs::read_symlink(path, failed);
        if (!failed)
            return fmt::format("{} is a symbolic link to {}, which is not there; make that file, or remove the link", path, to.string());
        return errno == ENOENT ? std::string{} : fmt::format("{}: {}; name another file", path, words_of(errno));
    }
    if (S_ISDIR(about.st_mode)) return fmt::format("{} is a directory; name a file in it", path);
    if (S_ISSOCK(about.st_mode)) return fmt::format("{} is a socket; name a file", path);
    if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0) return {};
    return fmt::format("uid {} cannot write {}: {}; give the file to the user of exeat and check as that user", ::geteuid(), path,
                       words_of(errno));
}

// Why a file of the state cannot be read and replaced as it is; empty when it can, or when it is not there.
std::string objection_to_state_file(const std::string& path, bool may_be_link)
{
    struct stat about {};
    const int failed = may_be_link ? ::stat(path.c_str(), &about) : ::lstat(path.c_str(), &about);
    if (failed != 0) return errno == ENOENT ? std::string{} : fmt::format("{}: {}; remove it", path, words_of(errno));
    if (!S_ISREG(about.st_mode)) return fmt::format("{} is not a file; remove it", path);
    return {};
}

} // namespace

std::string objection_to_audit(const config& c)
{
    if (c.audit_path == "stdout") return {};
    std::error_code failed;
    const auto parent = fs::path{c.audit_path}.parent_path().string();
    const bool creates = !fs::exists(c.audit_path, failed) || c.rotation.max_size != 0;
    auto said = creates ? objection_to_directory(parent.empty() ? "." : parent, "'path' in [audit]") : std::string{};
    if (said.empty()) said = objection_to_log(c.audit_path);
    return said.empty() ? said : "audit log: " + said;
}

std::string objection_to_state(const config& c)
{
    if (c.state.empty()) return {};
    auto said = objection_to_directory(c.state, "'state' in [policy]");
    for (const auto& f : formats::of_state) {
        const auto path = fmt::format("{}/{}", c.state, f.file);
        if (said.empty()) said = objection_to_state_file(path, true);
        if (said.empty()) said = objection_to_state_file(path + ".lock", false);
    }
    if (said.empty()) {
        const auto held = read_quarantines(quarantine_path(c.state));
        if (!held) said = fmt::format("what is quarantined cannot be read: {}; fix the file, or remove it", held.error());
    }
    return said.empty() ? said : "state: " + said;
}

int writer_of_audit(const config& c)
{
    struct stat about {};
    if (c.audit_path == "stdout" || ::stat(c.audit_path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return 0;
    const auto file = fmt::format("{:02x}:{:02x}:{}", major(about.st_dev), minor(about.st_dev), about.st_ino);
    std::ifstream locks{"/proc/locks"};
    for (std::string line; std::getline(locks, line);) {
        std::istringstream words{line};
        const std::vector<std::string> word{std::istream_iterator<std::string>{words}, {}};
        constexpr std::size_t kind = 1, how = 3, pid = 4, of = 5; // proc_locks(5)
        if (word.size() > of && word[kind] == "FLOCK" && word[how] == "WRITE" && word[of] == file) return std::atoi(word[pid].c_str());
    }
    return 0;
}

} // namespace exeat::ops
