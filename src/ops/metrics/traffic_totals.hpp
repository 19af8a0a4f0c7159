// Traffic and refusals since the start, summed over all workers. Reading only; any thread.
#pragma once

#include <ops/metrics/metrics.hpp>

#include <string>
#include <vector>

namespace exeat::ops {

struct entry_total {
    std::string entry;
    enum purpose purpose = purpose::pull;
    std::uint64_t upload = 0, download = 0;
};
std::vector<entry_total> entry_totals(const metric_sources&); // by slot; an entry whose purpose was changed has two

struct reason_total {
    verdict reason;
    std::uint64_t denied = 0;
};
std::vector<reason_total> reason_totals(const metric_sources&); // every reason, of all groups together

} // namespace exeat::ops
