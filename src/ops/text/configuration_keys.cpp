#include <ops/text/configuration_keys.hpp>

#include <ops/text/quantity.hpp>

#include <fmt/format.h>

namespace exeat::ops {

std::string to_text(const value_bounds& b)
{
    using std::chrono::milliseconds;
    switch (b.of) {
    case value_bounds::unit::none: return {};
    case value_bounds::unit::number:
        return b.most == INT64_MAX ? fmt::format("{} or more", b.least) : fmt::format("{} to {}", b.least, b.most);
    case value_bounds::unit::milliseconds: return fmt::format("{} to {}", to_text(milliseconds{b.least}), to_text(milliseconds{b.most}));
    case value_bounds::unit::entries: return fmt::format("{} at most", b.most);
    }
    return {};
}

} // namespace exeat::ops
