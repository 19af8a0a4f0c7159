#include "net.hpp"

#include <boost/json.hpp>
#include <deque>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <prometheus/metric_family.h>
#include <set>
#include <stdexcept>
#include <thread>
