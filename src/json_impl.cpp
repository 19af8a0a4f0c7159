// Boost.JSON, compiled once for the whole program. GCC 12 with sanitizers takes an empty array's storage for one of size 0.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif
#include <boost/json/src.hpp>
