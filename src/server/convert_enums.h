// The enums of a collection's config, as the API names them: for the server's replies and for the
// requests of the command line.
#pragma once

#include "types/collection_config.h"
#include "types/metric.h"
#include "types/quantization.h"
#include "vettore/v1/collections.pb.h"

namespace vettore {

v1::Metric ToProto(Metric metric);
v1::Quantization ToProto(Quantization quantization);
v1::IvfEncoding ToProto(IvfEncoding encoding);
v1::PayloadIndexKind ToProto(PayloadIndexKind kind);

}  // namespace vettore
