#include <ops/process/version.hpp>

namespace exeat::ops {

const std::string_view version{EXEAT_VERSION}, revision{EXEAT_REVISION};

} // namespace exeat::ops
