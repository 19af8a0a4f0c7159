// What every scanner can return besides its own result. A scanner does no I/O: its input is everything received so far. Values; any thread.
#pragma once

#include <exeat/verdict.hpp>

namespace exeat {

struct need_more {}; // the input is incomplete and may still become valid

// The input can never become valid; the verdict gives the reason.
struct malformed {
    verdict why;
};

} // namespace exeat
