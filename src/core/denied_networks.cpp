#include <exeat/denied_networks.hpp>

#include <tuple>

namespace exeat {

denied_networks::denied_networks(std::vector<entry> all) : all_{std::move(all)}
{
    std::sort(all_.begin(), all_.end(), [](const entry& a, const entry& b) {
        return std::tie(b.network.bits, a.network.network, a.rule) < std::tie(a.network.bits, b.network.network, b.rule);
    });
    all_.erase(std::unique(all_.begin(), all_.end()), all_.end());
    all_.shrink_to_fit();
    for (std::ptrdiff_t i = 0; i < std::ssize(all_); ++i) {
        const auto bits = all_[static_cast<std::size_t>(i)].network.bits;
        if (lengths_.empty() || lengths_.back().bits != bits) lengths_.push_back({bits, i, i});
        lengths_.back().end = i + 1;
    }
}

} // namespace exeat
