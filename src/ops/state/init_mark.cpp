#include <ops/state/init_mark.hpp>

#include <exeat/limits.hpp>
#include <ops/evidence/audit_anchor.hpp>
#include <ops/files/replace_file.hpp>
#include <ops/state/state_file.hpp>
#include <ops/text/formats.hpp>
#include <ops/text/sealed_bytes.hpp>
#include <ops/text/utc.hpp>

#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <stdexcept>
#include <unistd.h>

namespace exeat::ops {

namespace {

constexpr std::string_view name = "init", magic = formats::init;
constexpr std::size_t most_bytes = 4'096;

std::string path_of(const state_directory& d) { return fmt::format("{}/{}", d.path, name); }

// A file left by a process that served with this directory; empty: none. Lock files and a quarantine are not state.
std::string state_in(const state_directory& d)
{
    for (const auto& file : std::filesystem::directory_iterator{d.path}) {
        const auto known = file.path().filename().string();
        const bool is_state =
            known == "uploads" || known == "accounts" || known == "names" || known == "detectors" || known.starts_with(anchor_prefix);
        if (is_state && !known.ends_with(".lock")) return file.path().string();
    }
    return {};
}

std::optional<init_mark> decode(std::string_view bytes)
{
    const auto body = unsealed(bytes, magic);
    const auto end = body ? body->find('\n') : std::string_view::npos;
    if (end == std::string_view::npos) return std::nullopt;
    const auto at = parse_utc(body->substr(0, end));
    if (!at) return std::nullopt;
    return init_mark{std::string{body->substr(end + 1)}, *at};
}

} // namespace

void write_init_mark(const state_directory& d, const init_mark& mark)
{
    std::error_code failed;
    if (!std::filesystem::is_directory(d.path, failed))
        throw std::runtime_error{d.path + ": there is no such directory; make it, owned by the user that exeat runs as"};
    if (const auto there = state_in(d); !there.empty())
        throw std::runtime_error{there + ": there is state already, and this would reset its budgets"};
    auto bytes = fmt::format("{}\n{}\n{}", magic, utc(mark.at), mark.by);
    if (!seal(bytes) || !seal_state(d, name, bytes)) throw std::runtime_error{"the library has no SHA-256"};
    failed = create_file(path_of(d), bytes, readers::all);
    if (failed == std::errc::file_exists) throw std::runtime_error{path_of(d) + ": the next start begins with whole budgets already"};
    if (failed) throw std::runtime_error{path_of(d) + ": " + failed.message()};
}

std::optional<init_mark> use_up_init_mark(const state_directory& d, const event_log& log)
{
    std::error_code failed;
    const auto path = path_of(d);
    if (d.path.empty() || !std::filesystem::exists(path, failed)) return std::nullopt;
    const auto does_not_count = [&](const std::string& why) {
        log.say(severity::warning, "what 'exeat state init' wrote does not count", {{"file", path}, {"why", why}});
        return std::nullopt;
    };
    const auto there = state_in(d);
    const auto bytes = read_state(d, name, most_bytes);
    if (::unlink(path.c_str()) != 0) return does_not_count("it cannot be removed: " + std::generic_category().message(errno));
    if (!there.empty()) return does_not_count("there was state already: " + there);
    if (!bytes) return does_not_count(bytes.error());
    auto mark = decode(*bytes);
    if (!mark) return does_not_count("it is damaged");
    return mark;
}

state_directory begin_state(const config& c, const event_log& log)
{
    auto out = open_state(c);
    if (!out.path.empty()) remove_unfinished(out.path);
    out.init = use_up_init_mark(out, log);
    return out;
}

} // namespace exeat::ops
