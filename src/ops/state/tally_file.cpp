#include <ops/state/tally_file.hpp>

#include <exeat/limits.hpp>
#include <net/random_seed.hpp>
#include <ops/files/replace_file.hpp>
#include <ops/text/formats.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <sys/mman.h>

namespace exeat::ops {

struct tally_file::heading {
    std::array<char, 16> format;
    std::uint64_t run;
    std::atomic<std::uint64_t> alive;
};

namespace {

constexpr std::size_t heading_bytes = 32;
constexpr std::size_t file_bytes = heading_bytes + limits::budget_accounts * sizeof(tally_record);

std::array<char, 16> format_text()
{
    std::array<char, 16> out{};
    std::copy(formats::tally.begin(), formats::tally.end(), out.begin());
    out[formats::tally.size()] = '\n';
    return out;
}
static_assert(formats::tally.size() < 16);

} // namespace

tally_file::tally_file() : run_{net::random_seed() | 1}
{
    static_assert(sizeof(heading) == heading_bytes);
    memory_ = ::mmap(nullptr, file_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc{};
    auto* const h = new (memory_) heading{format_text(), run_, 0};
    auto* const first = reinterpret_cast<tally_record*>(reinterpret_cast<char*>(h) + heading_bytes);
    std::uninitialized_value_construct_n(first, limits::budget_accounts);
    tally_.emplace(std::span{first, limits::budget_accounts});
}

tally_file::~tally_file() { ::munmap(memory_, file_bytes); }

tally_file::heading& tally_file::head() noexcept { return *static_cast<heading*>(memory_); }

void tally_file::alive(wall_time now) noexcept
{
    head().alive.store(static_cast<std::uint64_t>(std::chrono::floor<std::chrono::minutes>(now.time_since_epoch()).count()));
}

// All blocks are written before the file is mapped, so that a full disk is an error here and not a signal (SIGBUS) later.
std::error_code tally_file::attach(const std::string& path)
{
    unfinished_file next{path};
    if (!next.is_open() || next.write({static_cast<const char*>(memory_), file_bytes}) || next.put()) return next.error();
    const auto* const at = ::mmap(memory_, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, next.file().value(), 0);
    attached_ = at != MAP_FAILED;
    return attached_ ? std::error_code{} : std::error_code{errno, std::generic_category()};
}

std::optional<left_tally> read_tally(std::string_view bytes)
{
    const auto format = format_text();
    if (bytes.size() != file_bytes || !std::equal(format.begin(), format.end(), bytes.begin())) return std::nullopt;
    const auto number = [&](std::size_t at) {
        std::uint64_t n = 0;
        std::memcpy(&n, bytes.data() + at, sizeof n);
        return n;
    };
    left_tally out;
    out.run = number(16);
    out.alive = wall_time{std::chrono::minutes{static_cast<std::int64_t>(std::min(number(24), limits::snapshot_minutes))}};
    for (std::size_t at = heading_bytes; at < bytes.size(); at += sizeof(tally_record)) {
        left_tally::account a;
        a.taken = number(at), a.what = number(at + 8);
        std::memcpy(a.client.data(), bytes.data() + at + 16, a.client.size());
        const auto scope = static_cast<std::uint32_t>(number(at + 32));
        a.number = static_cast<std::uint32_t>(number(at + 32) >> 32);
        if (scope == 0 || scope > 3) continue;
        a.scope = static_cast<std::uint8_t>(scope - 1);
        out.accounts.push_back(a);
    }
    return out;
}

std::size_t tally_bytes() noexcept { return file_bytes; }

} // namespace exeat::ops
