#include <ops/evidence/checkpoint_text.hpp>

#include <ops/text/formats.hpp>

#include <fmt/format.h>

namespace exeat::ops {

namespace {

constexpr std::string_view before = R"(,"exeat.audit.signature":")", after = R"("})";

} // namespace

std::string checkpoint_statement(std::string_view line) { return fmt::format("{}\n{}", formats::checkpoint, line); }

void append_signature(std::string& line, std::string_view signature)
{
    line.append(before).append(signature);
    line += '"';
}

std::optional<signed_checkpoint> read_signature(std::string_view line)
{
    if (!line.ends_with(after)) return std::nullopt;
    const auto at = line.rfind(before);
    if (at == line.npos) return std::nullopt;
    const auto from = at + before.size();
    const auto signature = signature_from_base64(line.substr(from, line.size() - after.size() - from));
    if (!signature) return std::nullopt;
    return signed_checkpoint{checkpoint_statement(line.substr(0, at)), *signature};
}

} // namespace exeat::ops
