// What nearly every file of a layer reads of others' headers, parsed once. Each file still includes what it uses: the fuzzers' build has no
// precompiled headers and would not compile otherwise.
#include <algorithm>
#include <array>
#include <atomic>
#include <boost/system/result.hpp>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>
