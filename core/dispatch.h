#pragma once

#include <string_view>

#include "kernels/table.h"

namespace gtekit {

// The kernel set of that name. Throws std::invalid_argument, listing those that can run here, for any other name.
const KernelTable& kernels(std::string_view isa);

}  // namespace gtekit
