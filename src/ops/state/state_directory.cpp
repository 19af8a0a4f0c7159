#include <ops/state/state_directory.hpp>

#include <ops/evidence/audit_anchor.hpp>
#include <ops/evidence/audit_file.hpp>
#include <ops/files/file_source.hpp>
#include <ops/state/state_file.hpp>
#include <ops/text/utc.hpp>

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <stdexcept>

namespace exeat::ops {

namespace {

constexpr std::size_t least_key_bytes = 32, most_key_bytes = 4'096, most_anchor_bytes = 64 * 1024;

std::optional<wall_time> last_logged(const std::string& path)
{
    constexpr std::string_view begin = R"({"@timestamp":")";
    const auto tail = read_audit_tail(path);
    if (!tail || !tail->last_whole.starts_with(begin)) return std::nullopt;
    const auto stamp = std::string_view{tail->last_whole}.substr(begin.size());
    return parse_utc(stamp.substr(0, stamp.find('"')));
}

} // namespace

std::string state_key()
{
    const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
    const auto path = fmt::format("{}/{}", credentials == nullptr ? "" : credentials, state_key_credential);
    std::error_code failed;
    if (credentials == nullptr || !std::filesystem::exists(path, failed)) return {};
    auto key = read_whole(path, most_key_bytes);
    if (!key) throw std::runtime_error{fmt::format("{}: {}", path, key.error())};
    if (key->size() < least_key_bytes)
        throw std::runtime_error{
            fmt::format("{}: the key of the state has {} bytes; it must have {} random ones at least", path, key->size(), least_key_bytes)};
    return std::move(*key);
}

state_directory open_state(const config& c)
{
    state_directory out{c.state};
    out.key = state_key();
    if (c.audit_path != "stdout") out.last_logged = last_logged(c.audit_path);
    if (c.state.empty()) return out;
    const auto bytes = read_state(out, anchor_name(c.audit_path), most_anchor_bytes);
    const auto anchor = bytes ? decode_anchor(*bytes) : std::nullopt; // right after a rotation the log has no line yet
    if (anchor && (!out.last_logged || *out.last_logged < anchor->at)) out.last_logged = anchor->at;
    return out;
}

} // namespace exeat::ops
