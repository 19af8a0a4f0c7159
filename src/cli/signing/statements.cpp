#include <cli/signing/statements.hpp>

#include <cli/output.hpp>
#include <cli/signing/signatures.hpp>
#include <net/wall_clock.hpp>
#include <ops/approvals/policy_gate.hpp>
#include <ops/approvals/signed_list.hpp>
#include <ops/policy/part_files.hpp>
#include <ops/settings/load_config.hpp>

#include <filesystem>
#include <fmt/format.h>
#include <stdexcept>

namespace exeat::cli {

namespace fs = std::filesystem;

std::string allowlist_of(const std::string& path)
{
    const auto above = fs::path{path}.parent_path();
    if (above.extension() != ".d") return path;
    auto allowlist = above;
    allowlist.replace_extension(".toml");
    return ops::parts_directory(allowlist.string()) == above.string() && fs::exists(allowlist) ? allowlist.string() : path;
}

std::optional<ops::manifest> manifest_beside(const std::string& allowlist)
{
    const auto path = ops::manifest_of(allowlist);
    const auto there = signed_before(path);
    if (!there) return std::nullopt;
    auto what = ops::read_manifest(there->statement);
    if (!what) throw std::runtime_error{path + ": " + what.error() + "; remove it to begin anew"};
    return std::move(*what);
}

std::string audience_of(const std::string& given, const std::string& config_path, const std::optional<ops::manifest>& there)
{
    auto out = given;
    if (out.empty() && !config_path.empty()) {
        const auto loaded = ops::load_config(config_path);
        if (!loaded.value) throw std::runtime_error{loaded.problems.front().to_string()};
        out = loaded.value->audience;
    }
    if (out.empty() && there) out = there->audience;
    if (out.empty())
        throw std::runtime_error{
            "which environment is it for? Give --audience NAME, as [policy] audience of its exeat.toml says, or --config"};
    if (!ops::is_audience(out))
        throw std::runtime_error{"--audience: write lower-case letters, digits, '-', '_' and '.', as in production"};
    return out;
}

void require_counting(const std::string& config_path, const ops::private_key& key, const std::string& audience)
{
    if (config_path.empty()) return;
    const auto loaded = ops::load_config(config_path);
    if (!loaded.value) throw std::runtime_error{loaded.problems.front().to_string()};
    if (loaded.value->trusted_keys.empty()) return;
    const auto trusted = ops::read_approval_rules(*loaded.value);
    if (trusted.find(key.id()) == nullptr)
        throw std::runtime_error{"this key is not among the trusted_keys of " + config_path + ", so nothing would come of it"};
    if (audience != trusted.audience)
        throw std::runtime_error{
            fmt::format("{} takes only what is for '{}', and this would be for '{}'", config_path, trusted.audience, audience)};
}

ops::loaded_allowlist load_to_sign(const std::string& allowlist)
{
    ops::label_registry labels;
    ops::load_options with;
    with.without_grants = true;
    auto out = ops::load_allowlist(allowlist, labels, net::wall_now(), with);
    for (const auto& p : out.problems) print_error("{}\n", p.to_string());
    return out;
}

} // namespace exeat::cli
