#include <ops/approvals/accepted_policy.hpp>

#include <exeat/limits.hpp>
#include <ops/files/file_source.hpp>
#include <ops/files/replace_file.hpp>
#include <ops/text/formats.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fmt/format.h>

namespace exeat::ops {

namespace json = boost::json;

std::string accepted_policy::to_json() const
{
    return json::serialize(json::object{{"exeat", formats::accepted}, {"serial", serial}, {"sha256", sha256}}) + "\n";
}

std::optional<accepted_policy> read_accepted(std::string_view text)
{
    boost::system::error_code failed;
    const auto value = json::parse({text.data(), text.size()}, failed);
    const auto* o = failed ? nullptr : value.if_object();
    const auto* kind = o != nullptr && o->contains("exeat") ? o->at("exeat").if_string() : nullptr;
    const auto* serial = o != nullptr ? o->if_contains("serial") : nullptr;
    const auto* sha256 = o != nullptr ? o->if_contains("sha256") : nullptr;
    // v1 stored the digest of another statement: its serial stays valid, and the same serial counts as different content.
    if (kind == nullptr || (*kind != formats::accepted && *kind != formats::former_accepted) || serial == nullptr || sha256 == nullptr ||
        !sha256->is_string())
        return std::nullopt;
    const auto n = serial->to_number<std::uint64_t>(failed);
    if (failed) return std::nullopt;
    return accepted_policy{n, std::string{sha256->get_string()}};
}

std::string serial_objection(const std::optional<accepted_policy>& last, const accepted_policy& next)
{
    if (!last) return {};
    if (next.serial < last->serial)
        return fmt::format("serial {} was accepted already, and this is {}: an older list; raise 'serial' and sign it", last->serial,
                           next.serial);
    if (next.serial == last->serial && next.sha256 != last->sha256)
        return fmt::format("serial {} was accepted already with another content; raise 'serial' and sign it", next.serial);
    if (next.serial - last->serial > limits::serial_jump)
        return fmt::format("serial {} is more than {} beyond {}, which was accepted last; write a nearer one", next.serial,
                           limits::serial_jump, last->serial);
    return {};
}

std::string accepted_memory::look()
{
    std::error_code failed;
    if (!std::filesystem::exists(path_, failed)) {
        // A known serial stays known: removing the file does not lower the serial in a running process.
        return failed ? fmt::format("{}: {}; it says which serial was accepted last", path_, failed.message()) : std::string{};
    }
    const auto text = read_whole(path_, limits::state_file_bytes);
    auto found = text ? read_accepted(*text) : std::nullopt;
    if (!found)
        return text ? path_ +
                          ": is damaged; it says which serial was accepted last. Restore it, or remove it if you know that no older list "
                          "can be slipped in"
                    : fmt::format("{}: {}; it says which serial was accepted last, and root or exeat's own user may read it", path_,
                                  text.error());
    if (!last_ || found->serial >= last_->serial) last_ = std::move(found);
    return {};
}

std::string accepted_memory::raise(const accepted_policy& next)
{
    if (auto wrong = look(); !wrong.empty()) return wrong;
    if (auto wrong = serial_objection(last_, next); !wrong.empty()) return wrong;
    std::error_code failed;
    if (last_ == next && std::filesystem::exists(path_, failed)) return {};
    if (const auto not_written = replace_file(path_, next.to_json()))
        return fmt::format("its serial cannot be written to {}: {}", path_, not_written.message());
    last_ = next;
    return {};
}

} // namespace exeat::ops
