#include <exeat/detect/chunks.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace exeat::detect {

namespace {

constexpr moment hour{3'600};

double median(std::vector<double>& of)
{
    const auto middle = of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2);
    std::nth_element(of.begin(), middle, of.end());
    return *middle;
}

// The median absolute deviation divided by the median: how similar the sizes are, whatever a few outliers are.
double spread(std::vector<double> sizes)
{
    const auto middle = median(sizes);
    for (auto& s : sizes) s = std::abs(s - middle);
    return median(sizes) / middle;
}

} // namespace

void chunk_watch::see(const flow_event& e, findings& out)
{
    if (e.step != flow_step::close || e.entry.id == 0 || e.tunnel_up < than_.chunk_least || e.tunnel_up > than_.chunk_most) return;
    auto& r = entries_.use({e.client, e.entry.id});
    const auto place = r.count++ % r.sizes.size();
    r.sizes[place] = static_cast<std::uint32_t>(e.tunnel_up);
    r.at[place] = e.at;
    // A check sorts up to 128 values: every eighth tunnel is often enough.
    if (r.count < than_.chunks || r.count % 8 != 0) return;
    std::vector<double> lately;
    for (std::size_t i = 0; i < std::min(r.count, r.sizes.size()); ++i)
        if (r.at[i] + hour > e.at) lately.push_back(r.sizes[i]);
    if (lately.size() < than_.chunks) return;
    const auto how_alike = spread(std::move(lately));
    if (how_alike <= than_.chunk_spread && r.told.may(e.at, hour))
        out.push_back({detector::uniform_chunks, e.client, e.entry, how_alike, than_.chunk_spread});
}

} // namespace exeat::detect
