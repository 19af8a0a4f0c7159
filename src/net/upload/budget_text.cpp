#include <net/upload/budget_text.hpp>

#include <array>
#include <cstdio>

namespace exeat::net {

namespace {

// In the largest unit that fits: exact, or with one decimal.
std::string octets_text(std::uint64_t n)
{
    constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    auto size = std::uint64_t{1};
    for (; unit + 1 < units.size() && n / size >= 1024; ++unit) size *= 1024;
    std::array<char, 32> text{};
    if (n % size == 0) return std::to_string(n / size) + ' ' + units[unit];
    std::snprintf(text.data(), text.size(), "%.1f %s", static_cast<double>(n) / static_cast<double>(size), units[unit]);
    return text.data();
}

std::string wait_text(std::chrono::minutes m)
{
    const auto all = m.count();
    if (all < 120) return std::to_string(all) + " min";
    if (all < 2 * 24 * 60) return std::to_string(all / 60) + " h " + std::to_string(all % 60) + " min";
    return std::to_string(all / (24 * 60)) + " d " + std::to_string(all % (24 * 60) / 60) + " h";
}

std::string which(const upload_permit::lack& lack, const rule& by)
{
    if (lack.of == budget_key::scope::entry) return "the budget that all clients share at the entry '" + by.name + "'";
    std::string out = lack.of_identity ? "the budget that all pods of this service account share " : "the budget of this client ";
    if (lack.of == budget_key::scope::client_at_purpose) return out + "for entries of purpose " + std::string{to_string(by.purpose)};
    return out + "at the entry '" + by.name + "'";
}

} // namespace

std::string budget_text(const upload_permit::lack& lack, const rule& by)
{
    const auto& what = lack.what;
    auto out = which(lack, by) + " is " + octets_text(what.most) + " within ";
    out += budget_window_words[what.window];
    out += ": " + octets_text(what.used) + " are used";
    if (what.assumed > 0)
        out += ", and " + octets_text(what.assumed) + " count as used because exeat does not know what was sent before it started";
    if (what.wait.count() > 0) out += "; in " + wait_text(what.wait) + " " + octets_text(what.back) + " may leave again";
    return out;
}

} // namespace exeat::net
