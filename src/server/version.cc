#include "server/version.h"

namespace vettore {

std::string_view Version() { return VETTORE_VERSION; }

}  // namespace vettore
