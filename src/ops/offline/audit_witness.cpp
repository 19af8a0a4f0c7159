#include <ops/offline/audit_witness.hpp>

#include <ops/evidence/audit_anchor.hpp>
#include <ops/evidence/checkpoint_text.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace exeat::ops {

std::string audit_witness::see(std::string_view text, const audit_link& link, std::string_view sha256)
{
    for (auto& k : known_) {
        if (k.sequence != link.sequence) continue;
        const bool same = k.sha256.empty() ? k.hash == first_52_bits(sha256) : k.sha256 == sha256;
        if (!same) return fmt::format("is number {} and not the line that {} knows: the log was changed", k.sequence, k.source);
        k.seen = true;
        prove(link.sequence, k.source);
    }
    return link.action == "checkpoint" ? see_checkpoint(text, link) : std::string{};
}

std::string audit_witness::see_checkpoint(std::string_view text, const audit_link& link)
{
    last_ = checkpoint{link.sequence, {}, link.time, link.host, link.log};
    const auto made = read_signature(text);
    if (!made) return {};
    last_->key = link.key;
    const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const public_key& k) { return k.id() == link.key; });
    if (key == keys_.end()) return {};
    if (!key->verifies(made->statement, made->signature))
        return fmt::format("is a checkpoint whose signature by key {} does not fit it: the log was changed", link.key);
    last_->verified = true;
    prove(link.sequence, fmt::format("the checkpoint signed with key {} ({})", link.key, key->file()));
    return {};
}

void audit_witness::prove(std::uint64_t sequence, std::string by)
{
    if (!proven_ || proven_->sequence <= sequence) proven_ = proof{sequence, std::move(by)};
}

std::vector<std::string> audit_witness::objections(std::uint64_t first, std::uint64_t last) const
{
    std::vector<std::string> out;
    for (const auto& k : known_) {
        if (k.seen) continue;
        if (k.sequence > last)
            out.push_back(fmt::format(
                "{} knows line {}, and the log ends with line {}: lines were removed from its end, or a newer file was not given", k.source,
                k.sequence, last));
        else if (k.sequence < first)
            out.push_back(
                fmt::format("{} knows line {}, and the first line given is {}: give the file before, too", k.source, k.sequence, first));
        else out.push_back(fmt::format("{} knows line {}, which is not in the log", k.source, k.sequence));
    }
    if (keys_.empty() || (last_ && last_->verified)) return out;
    if (!last_) out.emplace_back("there is no checkpoint, and so none that is signed with a key that was given");
    else if (last_->key.empty()) out.push_back(fmt::format("the last checkpoint, line {}, is not signed", last_->sequence));
    else
        out.push_back(fmt::format("the last checkpoint, line {}, is signed with key {}, which was not given", last_->sequence, last_->key));
    return out;
}

} // namespace exeat::ops
