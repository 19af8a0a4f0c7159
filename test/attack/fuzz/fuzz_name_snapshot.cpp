// What the budgets of wildcard names wrote for the next process: what is taken is written as it was, and no state, however odd, gives out
// more names than it may.
#include "property.hpp"

#include <ops/state/name_snapshot.hpp>
#include <ops/text/formats.hpp>
#include <ops/text/sealed_bytes.hpp>

#include <memory>
#include <string>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

constexpr auto now = limits::budget_epoch;

void go_on(const name_budget::snapshot& s, std::chrono::minutes age, bool forgot)
{
    const auto budget = std::make_unique<name_budget>(s, age, now, forgot);
    constexpr std::uint32_t most = 3;
    std::uint32_t taken = 0;
    for (int i = 0; i < 8; ++i) taken += budget->take(ip_address::v4(1), 1, "n" + std::to_string(i) + ".w.test", most, now);
    must(taken <= most, "no more names than the entry allows"); // but for a tag that this input would have to guess
    const auto again = ops::decode_names(ops::encode({wall_time{}, true, budget->written(now)}));
    must(again.has_value(), "what goes on can be written and taken again");
}

// What a version before wrote: its names are read, and what goes on from them is written as now.
void take_former(std::string_view in)
{
    auto sealed = ops::sealed_heading(ops::formats::former_names);
    sealed += in;
    must(ops::seal(sealed), "there is a SHA-256");
    if (const auto s = ops::decode_names(sealed)) go_on(s->budgets, std::chrono::minutes{0}, false);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    must(!ops::decode_names(in), "nothing is taken without its seal");
    auto sealed = ops::sealed_heading(ops::formats::names);
    sealed += in;
    must(ops::seal(sealed), "there is a SHA-256");
    const auto s = ops::decode_names(sealed);
    take_former(in);
    if (!s) return 0;
    must(ops::encode(*s) == sealed, "what is taken is written as it was");
    go_on(s->budgets, std::chrono::minutes{0}, false);
    go_on(s->budgets, limits::name_window, true);
    return 0;
}
