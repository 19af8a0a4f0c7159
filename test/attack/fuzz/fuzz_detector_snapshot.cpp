// What the detectors wrote for the next process: whatever is taken is written as it was, and no state, however odd, leads them astray.
#include "property.hpp"

#include <exeat/detect/bank.hpp>
#include <ops/detection/detector_snapshot.hpp>
#include <ops/text/sealed_bytes.hpp>

#include <string>

using namespace exeat;
using namespace exeat::fuzz;
using namespace exeat::detect;

namespace {

constexpr std::uint64_t seed = 7;

std::string written(detector_bank& b)
{
    std::string out;
    for (std::size_t part = 0; part < detector_bank::parts; ++part) b.write(part, out);
    return out;
}

// Of the client and the entry that the seeds know.
void go_on(detector_bank& b, moment now)
{
    findings found;
    flow_event e;
    e.at = now;
    e.client = ip_address::v4(0x0a000001);
    e.entry = {1, 1};
    e.host = "drop.w.test";
    e.wildcard = true;
    for (const auto step : {flow_step::open, flow_step::progress, flow_step::close, flow_step::deny}) {
        e.step = step;
        e.up = e.tunnel_up = 500'000;
        e.verdict = step == flow_step::deny ? verdict::sni_mismatch : verdict::allowed;
        b.see(e, found);
    }
    must(b.score(e.client, now) >= 0 || !found.empty(), "a score is a number");
}

void check_sealed(std::string_view in)
{
    auto sealed = ops::heading_of({moment{5}, seed, {}});
    sealed += in;
    must(ops::seal(sealed), "there is a SHA-256");
    const auto s = ops::open_detectors(sealed);
    must(s && s->now == moment{5} && s->seed == seed && s->parts == in, "what was sealed is there as it was");
    must(!ops::open_detectors(in), "nothing is taken without its seal");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    check_sealed(in);
    detector_bank b{seed, {}}, earlier{seed, {}};
    if (!b.read(in)) return 0;
    must(written(b) == in, "state that is taken is written as it was");
    must(earlier.read(in, moment{100'000}), "and can be taken as if it were older");
    for (auto* each : {&b, &earlier})
        for (const auto now : {moment{0}, moment{1'750'000'000}, moment{31'557'600'000}}) go_on(*each, now);
    return 0;
}
