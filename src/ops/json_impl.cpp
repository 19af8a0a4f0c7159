// Boost.JSON, compiled once for the whole program.
#pragma GCC diagnostic ignored "-Warray-bounds" // GCC 12 with sanitizers takes an empty array's storage for one of size 0
#include <boost/json/src.hpp>
