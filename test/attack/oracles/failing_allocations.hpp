// Allocations that fail on demand, in the whole program that is linked with it.
#pragma once

namespace exeat::testing {

// The next `more` allocations succeed and all later ones fail, until allow_allocations(). One thread.
void fail_allocations_after(int more) noexcept;
void allow_allocations() noexcept;

} // namespace exeat::testing
