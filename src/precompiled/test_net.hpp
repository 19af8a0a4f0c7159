#include "net.hpp"
#include "test.hpp"
