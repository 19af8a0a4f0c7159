#include <ops/policy_gate.hpp>

#include <exeat/limits.hpp>
#include <ops/digest.hpp>
#include <ops/file_source.hpp>
#include <ops/replace_file.hpp>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <stdexcept>

namespace exeat::ops {

namespace json = boost::json;

std::string accepted_policy::to_json() const
{
    return json::serialize(json::object{{"exeat", "accepted policy v1"}, {"serial", serial}, {"sha256", sha256}}) + "\n";
}

std::optional<accepted_policy> read_accepted(std::string_view text)
{
    boost::system::error_code failed;
    const auto value = json::parse({text.data(), text.size()}, failed);
    const auto* o = failed ? nullptr : value.if_object();
    const auto* kind = o != nullptr ? o->if_contains("exeat") : nullptr;
    const auto* serial = o != nullptr ? o->if_contains("serial") : nullptr;
    const auto* sha256 = o != nullptr ? o->if_contains("sha256") : nullptr;
    if (kind == nullptr || *kind != "accepted policy v1" || serial == nullptr || sha256 == nullptr || !sha256->is_string())
        return std::nullopt;
    const auto n = serial->to_number<std::uint64_t>(failed);
    if (failed) return std::nullopt;
    return accepted_policy{n, std::string{sha256->get_string()}};
}

std::string serial_objection(const std::optional<accepted_policy>& last, std::uint64_t serial, std::string_view sha256)
{
    if (!last) return {};
    if (serial < last->serial)
        return fmt::format("serial {} was accepted already, and this is {}: an older list; raise 'serial' and sign it", last->serial,
                           serial);
    if (serial == last->serial && sha256 != last->sha256)
        return fmt::format("serial {} was accepted already with another content; raise 'serial' and sign it", serial);
    if (serial - last->serial > limits::serial_jump)
        return fmt::format("serial {} is more than {} beyond {}, which was accepted last; write a nearer one", serial, limits::serial_jump,
                           last->serial);
    return {};
}

approval_rules read_approval_rules(const config& c)
{
    approval_rules out;
    for (const auto& path : c.trusted_keys) {
        auto key = public_key::read(path);
        if (!key) throw std::runtime_error{key.error()};
        const auto same = std::find_if(out.keys.begin(), out.keys.end(), [&](const public_key& k) { return k.id() == key->id(); });
        if (same != out.keys.end()) throw std::runtime_error{fmt::format("{} and {} are one key; trust each once", same->file(), path)};
        out.keys.push_back(std::move(*key));
    }
    out.needed = c.approvals;
    return out;
}

policy_gate::policy_gate(const config& c)
    : allowlist_{c.allowlist}, state_{c.state.empty() ? std::string{} : c.state + "/policy.json"},
      require_end_{c.require_end}, site_{c.network.site}, rules_{read_approval_rules(c)}
{
    std::error_code failed;
    if (rules_.needed == 0 || !std::filesystem::exists(state_, failed)) return;
    const auto text = read_whole(state_, limits::state_file_bytes);
    last_ = text ? read_accepted(*text) : std::nullopt;
    if (!last_)
        throw std::runtime_error{
            fmt::format("{}: {}; it says which serial was accepted last. Restore it, or remove it if you know that no older "
                        "list can be slipped in",
                        state_, text ? "is damaged" : text.error())};
}

std::string policy_gate::accept(const approval_statement& s)
{
    sha256_digest digest;
    digest.take(s.to_text());
    const auto sha256 = digest.finish();
    if (!sha256) return "the SHA-256 of its approval could not be taken; check the OpenSSL installation";
    const accepted_policy next{s.serial, hexadecimal(*sha256)};
    if (auto wrong = serial_objection(last_, next.serial, next.sha256); !wrong.empty()) return wrong;
    if (last_ && last_->serial == s.serial) return {};
    if (const auto failed = replace_file(state_, next.to_json()))
        return fmt::format("its serial cannot be written to {}: {}", state_, failed.message());
    last_ = next;
    return {};
}

loaded_allowlist policy_gate::load(label_registry& labels, wall_time now)
{
    load_options with;
    with.require_end = require_end_;
    with.site = site_;
    if (rules_.needed > 0) with.approvals = &rules_;
    auto out = load_allowlist(allowlist_, labels, now, with);
    if (with.approvals == nullptr || !out.rules) return out;
    if (auto wrong = accept(out.lists.front().statement); !wrong.empty()) {
        out.problems.push_back({allowlist_, 0, 0, problem::weight::error, std::move(wrong)});
        out.why = load_refusal::rollback;
        out.rules = nullptr;
    }
    return out;
}

} // namespace exeat::ops
