// Boost.JSON, compiled once for the whole program. GCC 12 with sanitizers wrongly warns about the storage of an empty array.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif
#include <boost/json/src.hpp>
