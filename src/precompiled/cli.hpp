#include "ops.hpp"

#include <CLI/CLI.hpp>
