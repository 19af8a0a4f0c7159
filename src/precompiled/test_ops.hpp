#include "ops.hpp"
#include "test.hpp"
