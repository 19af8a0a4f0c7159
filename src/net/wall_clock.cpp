#include <net/wall_clock.hpp>

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace exeat::net {

namespace {

constinit wall_clock the_clock;

std::chrono::seconds since_boot() noexcept
{
    timespec t{};
    ::clock_gettime(CLOCK_BOOTTIME, &t);
    return std::chrono::seconds{t.tv_sec};
}

// Reads both at one moment: a process can be stopped between any two calls.
wall_clock::reading read() noexcept
{
    for (;;) {
        const auto before = since_boot();
        const auto wall = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        const auto boot = since_boot();
        if (boot - before <= std::chrono::seconds{1}) return {wall, boot};
    }
}

} // namespace

wall_time wall_clock::now(const reading& r) const noexcept
{
    const auto least = std::max(certain_.load(std::memory_order_relaxed), course_.load(std::memory_order_relaxed));
    return least == none ? r.wall : std::max(r.wall, wall_time{std::chrono::seconds{least} + r.boot});
}

wall_time wall_clock::earliest(const reading& r) const noexcept
{
    const auto course = course_.load(std::memory_order_relaxed);
    return course == none ? r.wall : std::min(r.wall, wall_time{std::chrono::seconds{course} + r.boot});
}

std::optional<wall_time> wall_clock::certain(const reading& r) const noexcept
{
    const auto at = certain_.load(std::memory_order_relaxed);
    if (at == none) return std::nullopt;
    return wall_time{std::chrono::seconds{at} + r.boot};
}

void wall_clock::has_been(wall_time seen, const reading& r) noexcept { raise(offset_of({seen, r.boot})); }

void wall_clock::raise(offset to) noexcept
{
    auto at = certain_.load(std::memory_order_relaxed);
    while (at < to && !certain_.compare_exchange_weak(at, to, std::memory_order_relaxed)) {}
}

std::chrono::seconds wall_clock::look(const reading& r) noexcept
{
    const auto is = offset_of(r);
    const auto alike = [is](offset other) { return other != none && std::abs(is - other) <= step.count(); };
    auto course = course_.load(std::memory_order_relaxed);
    if (!alike(seen_)) since_ = r.boot;
    seen_ = is;
    const bool tried = r.boot - since_ >= trial;
    if (tried) raise(is);
    if (tried || course == none || alike(course)) course_ = course = is;
    const auto least = std::max(course, certain_.load(std::memory_order_relaxed));
    return std::chrono::seconds{std::abs(is - least) > step.count() ? is - least : 0};
}

wall_time wall_now() noexcept { return the_clock.now(read()); }

wall_time wall_earliest() noexcept { return the_clock.earliest(read()); }

wall_time wall_earliest(wall_time now) noexcept { return now - (wall_now() - wall_earliest()); }

void wall_has_been(wall_time seen) noexcept { the_clock.has_been(seen, read()); }

std::optional<wall_time> wall_certain() noexcept { return the_clock.certain(read()); }

std::chrono::seconds look_at_wall() noexcept { return the_clock.look(read()); }

} // namespace exeat::net
