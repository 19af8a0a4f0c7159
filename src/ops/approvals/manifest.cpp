#include <ops/approvals/manifest.hpp>

#include <exeat/limits.hpp>
#include <ops/text/formats.hpp>
#include <ops/text/utc.hpp>

#include <fmt/format.h>

namespace exeat::ops {

namespace {

constexpr auto heading = formats::manifest;

// Reads the lines that name files, each once and in ascending order. False when a line is wrong: the last one that was taken.
bool read_files(statement_lines& in, std::string_view word, std::size_t most, std::vector<named_file>& out)
{
    while (const auto line = in.take(word)) {
        auto file = read_named_file(*line);
        if (!file || out.size() == most || (!out.empty() && out.back().name >= file->name)) return false;
        out.push_back(std::move(*file));
    }
    return true;
}

bool read_revoked(statement_lines& in, std::vector<revoked_digest>& out)
{
    while (const auto line = in.take("revoked")) {
        const auto sha256 = line->substr(0, digest_digits);
        const bool whole = is_hexadecimal(sha256, digest_digits) && line->size() > digest_digits && (*line)[digest_digits] == ' ';
        const auto until = whole ? read_moment(line->substr(digest_digits + 1)) : std::nullopt;
        if (!until || out.size() == limits::revoked_digests || (!out.empty() && out.back().sha256 >= sha256)) return false;
        out.push_back({std::string{sha256}, *until});
    }
    return true;
}

} // namespace

std::string manifest::to_text() const
{
    auto out = fmt::format("{}\naudience {}\nserial {}\nlist {} {}\n", heading, audience, serial, list.sha256, list.name);
    for (const auto& f : parts) out += fmt::format("part {} {}\n", f.sha256, f.name);
    for (const auto& f : hosts_files) out += fmt::format("hosts_file {} {}\n", f.sha256, f.name);
    for (const auto& r : revoked) out += fmt::format("revoked {} {}\n", r.sha256, utc(r.until));
    return out;
}

boost::system::result<manifest, std::string> read_manifest(std::string_view statement)
{
    manifest out;
    statement_lines in{statement};
    if (in.take(heading) != std::string_view{}) return in.wrong(fmt::format("must be '{}'", heading));
    const auto audience = in.take("audience");
    if (!audience || !is_audience(*audience)) return in.wrong("must be 'audience NAME'");
    out.audience = *audience;
    const auto serial = in.take("serial");
    const auto number = serial ? read_number(*serial) : std::nullopt;
    if (!number) return in.wrong("must be 'serial N'");
    out.serial = *number;
    const auto line = in.take("list");
    auto list = line ? read_named_file(*line) : std::nullopt;
    if (!list || list->name.find('/') != std::string::npos) return in.wrong("must be 'list SHA-256 NAME'");
    out.list = std::move(*list);
    if (!read_files(in, "part", limits::list_parts, out.parts)) return in.wrong("must be 'part SHA-256 NAME', by name, each once");
    if (!read_files(in, "hosts_file", limits::rules, out.hosts_files))
        return in.wrong("must be 'hosts_file SHA-256 NAME', by name, each once");
    if (!read_revoked(in, out.revoked)) return in.wrong("must be 'revoked SHA-256 2026-12-24T00:00:00Z', ascending, each once");
    if (!in.at_end()) return in.wrong("must be 'part', 'hosts_file', 'revoked' or the empty line before the signatures");
    return out;
}

} // namespace exeat::ops
