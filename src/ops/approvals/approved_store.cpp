#include <ops/approvals/approved_store.hpp>

#include <exeat/limits.hpp>
#include <ops/files/replace_file.hpp>
#include <ops/policy/verified_file.hpp>

#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace exeat::ops {

namespace {

namespace fs = std::filesystem;

std::string cannot(const std::string& path, const std::error_code& why)
{
    return fmt::format("the copy in {} cannot be written: {}", path, why.message());
}

// The names of all files that the directory must contain.
std::set<std::string> names_of(const signed_list& l)
{
    std::set<std::string> out{"manifest"};
    for (const auto& f : l.files.lists) out.insert(f.sha256);
    for (const auto& [path, f] : l.files.hosts_files) out.insert(f.sha256);
    return out;
}

// Copies a file of any size block by block, and puts it in place only if all of its content is what was signed.
std::string copy_verified(const std::string& from, const std::string& to, const std::string& sha256)
{
    auto file = verified_file::open(from, limits::hosts_file_bytes, sha256);
    if (!file) return fmt::format("{}: {}", from, file.error());
    std::string wrong;
    const auto failed = replace_file_by_parts(
        to,
        [&]() -> std::string_view {
            auto bytes = file->next();
            if (bytes) return *bytes;
            wrong = fmt::format("{}: {}", from, bytes.error());
            return {};
        },
        [&] { return wrong.empty(); });
    if (!wrong.empty()) return wrong;
    return failed ? cannot(to, failed) : std::string{};
}

} // namespace

bool approved_store::is_there() const
{
    std::error_code failed;
    return fs::exists(manifest_path(), failed);
}

std::string approved_store::put_files(const signed_list& l) const
{
    if (::mkdir(directory_.c_str(), S_IRWXU) != 0 && errno != EEXIST) return cannot(directory_, {errno, std::generic_category()});
    for (const auto& f : l.files.lists) {
        const auto to = place({f.sha256, {}});
        if (read_verified(to, limits::allowlist_bytes, f.sha256)) continue;
        if (const auto failed = replace_file(to, f.text)) return cannot(to, failed);
    }
    for (const auto& [path, f] : l.files.hosts_files) {
        const auto to = place({f.sha256, {}});
        if (verified_file::open(to, limits::hosts_file_bytes, f.sha256)) continue;
        if (auto wrong = copy_verified(f.read_from, to, f.sha256); !wrong.empty()) return wrong;
    }
    return {};
}

std::string approved_store::put_manifest(const signed_list& l) const
{
    const auto names = names_of(l);
    std::error_code failed;
    for (const auto& name : names)
        if (name != "manifest" && !fs::exists(directory_ + "/" + name, failed)) {
            if (auto wrong = put_files(l); !wrong.empty()) return wrong; // another process has just removed it
            break;
        }
    if (const auto not_written = replace_file(manifest_path(), l.text.to_text())) return cannot(manifest_path(), not_written);
    for (fs::directory_iterator at{directory_, failed}, end; !failed && at != end; at.increment(failed))
        if (!names.contains(at->path().filename().string())) ::unlink(at->path().c_str());
    return {};
}

} // namespace exeat::ops
