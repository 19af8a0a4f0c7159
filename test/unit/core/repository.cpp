#include "repository.hpp"

namespace exeat::test {

std::filesystem::path repository() { return EXEAT_REPOSITORY; }

} // namespace exeat::test
