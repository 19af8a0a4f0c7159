#include <ops/settings/read_audit.hpp>

#include <exeat/limits.hpp>
#include <ops/audit/checkpoint_key.hpp>
#include <ops/text/exeat_toml_keys.hpp>
#include <ops/text/quantity.hpp>

#include <filesystem>
#include <fmt/format.h>

namespace exeat::ops {

namespace {

constexpr std::array<std::string_view, 2> failure_words{"deny", "continue"};

consteval toml_key audit(std::string_view name) { return key_of(exeat_toml::audit, name); }

void read_rotation(section& s, config& c)
{
    constexpr auto size = audit("max_size"), keep = audit("keep");
    if (const auto text = s.text(size)) {
        c.rotation.max_size = parse_size(*text).value_or(0);
        if (c.rotation.max_size < limits::audit_file_least || c.rotation.max_size > limits::audit_file_most)
            s.reject(size.name, fmt::format("{} is not a size from 1 MiB to 1 TiB; write {} = {}", as_shown(*text), size.name,
                                            parse_size(*text) || meant_size(*text).empty() ? std::string{size.example}
                                                                                           : fmt::format("\"{}\"", meant_size(*text))));
        if (c.audit_path == "stdout") s.reject(size.name, "'max_size' is for a log that is a file; remove it");
    }
    if (const auto n = s.integer(keep)) c.rotation.keep = static_cast<std::size_t>(*n);
    if (s.has(keep.name) && !s.has(size.name)) s.reject(keep.name, "'keep' is for a log with 'max_size'; add it or remove this");
}

// checkpoint_key.hpp checks whether the key exists and can be read.
void take_checkpoint_key(section& s, config& c)
{
    constexpr auto key = audit("checkpoint_key");
    const auto where = s.text(key, limits::path_octets);
    if (!where) return;
    if (where->starts_with("pkcs11:") || where->starts_with(credential_prefix)) c.checkpoint_key = *where;
    else c.checkpoint_key = beside(s.wrong().file(), *where);
    const auto name = where->starts_with(credential_prefix) ? where->substr(credential_prefix.size()) : std::string{"-"};
    if (name.empty() || name.find('/') != name.npos || name.starts_with('.'))
        s.reject(key.name, fmt::format("{} is not the name of a credential; write {} = {}", as_shown(*where), key.name, key.example));
}

} // namespace

void read_audit(section& s, config& c)
{
    if (const auto p = s.text(audit("path"), limits::path_octets)) c.audit_path = *p == "stdout" ? *p : beside(s.wrong().file(), *p);
    if (const auto w = s.word(audit("on_failure"), failure_words)) c.on_audit_failure = static_cast<audit_failure>(*w);
    read_rotation(s, c);
    take_checkpoint_key(s, c);
}

std::string beside(const std::string& file, const std::string& path)
{
    const std::filesystem::path p{path};
    return p.is_absolute() ? path : (std::filesystem::path{file}.parent_path() / p).lexically_normal().string();
}

} // namespace exeat::ops
