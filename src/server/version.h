// The version of the program.
#pragma once

#include <string_view>

namespace vettore {

// "0.1.0"
std::string_view Version();

}  // namespace vettore
