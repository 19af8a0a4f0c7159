// What every scanner can return beside its own result. A scanner reads nothing: it is given everything seen so far. Values; any thread.
#pragma once

#include <exeat/verdict.hpp>

namespace exeat {

struct need_more {}; // the input is a beginning that may still become valid

// The input can never become valid, and the verdict says why.
struct malformed {
    verdict why;
};

} // namespace exeat
