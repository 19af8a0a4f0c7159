// Where this checkout lies: the one file of the tests that is compiled anew when it lies elsewhere.
#pragma once

#include <filesystem>

namespace exeat::test {

std::filesystem::path repository();

} // namespace exeat::test
