#include "failing_allocations.hpp"

#include <cstdlib>
#include <new>

namespace {

int left = -1; // -1: all succeed

bool fails() noexcept
{
    if (left > 0) --left;
    else return left == 0;
    return false;
}

} // namespace

namespace exeat::testing {

void fail_allocations_after(int more) noexcept { left = more; }
void allow_allocations() noexcept { left = -1; }

} // namespace exeat::testing

void* operator new(std::size_t n)
{
    void* p = fails() ? nullptr : std::malloc(n == 0 ? 1 : n);
    if (p == nullptr) throw std::bad_alloc{};
    return p;
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
