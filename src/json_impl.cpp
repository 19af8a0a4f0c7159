// Boost.JSON, compiled once for the whole program. GCC 12 with sanitizers takes an empty array's storage for one of size 0.
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#include <boost/json/src.hpp>
