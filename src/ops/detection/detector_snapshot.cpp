#include <ops/detection/detector_snapshot.hpp>

#include <exeat/limits.hpp>
#include <ops/text/formats.hpp>
#include <ops/text/sealed_bytes.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace exeat::ops {

namespace {

constexpr auto magic = formats::detectors;
static_assert(std::endian::native == std::endian::little);

void put(std::string& out, std::uint64_t n) { out.append(reinterpret_cast<const char*>(&n), sizeof n); }

std::uint64_t take(std::string_view& from)
{
    std::uint64_t n = 0;
    std::memcpy(&n, from.data(), sizeof n);
    from.remove_prefix(sizeof n);
    return n;
}

} // namespace

std::string heading_of(const detector_snapshot& s)
{
    auto out = sealed_heading(magic);
    put(out, static_cast<std::uint64_t>(s.now.count()));
    put(out, s.seed);
    return out;
}

std::optional<detector_snapshot> open_detectors(std::string_view bytes)
{
    auto body = unsealed(bytes, magic);
    if (!body || body->size() < 2 * sizeof(std::uint64_t)) return std::nullopt;
    const auto now = take(*body), seed = take(*body);
    if (now > limits::snapshot_minutes * 60) return std::nullopt;
    return detector_snapshot{detect::moment{static_cast<std::int64_t>(now)}, seed, *body};
}

std::unique_ptr<detect::detector_bank> bank_of(const detector_snapshot& s, const detect::thresholds& than, detect::moment present)
{
    auto bank = std::make_unique<detect::detector_bank>(s.seed, than);
    if (!bank->read(s.parts, std::max(s.now - present, detect::moment{0}))) bank.reset();
    return bank;
}

} // namespace exeat::ops
