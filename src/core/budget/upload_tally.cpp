#include <exeat/budget/upload_tally.hpp>

namespace exeat {

upload_tally::upload_tally(std::span<tally_record> all)
{
    free_.reserve(all.size());
    for (std::size_t i = all.size(); i-- > 0;) free_.push_back(&all[i]);
}

tally_record* upload_tally::take() noexcept
{
    const std::lock_guard hold{lock_};
    if (free_.empty()) return nullptr;
    auto* const out = free_.back();
    free_.pop_back();
    out->account = ++accounts_;
    return out;
}

void upload_tally::give_back(tally_record& r) noexcept
{
    r.scope.store(0);
    r.taken.store(0);
    const std::lock_guard hold{lock_};
    free_.push_back(&r); // cannot allocate: the record was taken from here
}

} // namespace exeat
