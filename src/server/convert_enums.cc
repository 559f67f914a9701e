#include "server/convert_enums.h"

namespace vettore {

v1::Quantization ToProto(Quantization quantization) {
  switch (quantization) {
    case Quantization::kAuto:
      return v1::QUANTIZATION_AUTO;
    case Quantization::kNone:
      return v1::QUANTIZATION_NONE;
    case Quantization::kSq8:
      return v1::QUANTIZATION_SQ8;
    case Quantization::kSq4:
      return v1::QUANTIZATION_SQ4;
    case Quantization::kRaBitQ:
      return v1::QUANTIZATION_RABITQ;
  }
  return v1::QUANTIZATION_UNSPECIFIED;
}

v1::Metric ToProto(Metric metric) {
  switch (metric) {
    case Metric::kL2:
      return v1::METRIC_L2;
    case Metric::kInnerProduct:
      return v1::METRIC_INNER_PRODUCT;
    case Metric::kCosine:
      return v1::METRIC_COSINE;
  }
  return v1::METRIC_UNSPECIFIED;
}

v1::PayloadIndexKind ToProto(PayloadIndexKind kind) {
  switch (kind) {
    case PayloadIndexKind::kKeyword:
      return v1::PAYLOAD_INDEX_KIND_KEYWORD;
    case PayloadIndexKind::kInteger:
      return v1::PAYLOAD_INDEX_KIND_INTEGER;
    case PayloadIndexKind::kFloat:
      return v1::PAYLOAD_INDEX_KIND_FLOAT;
    case PayloadIndexKind::kBool:
      return v1::PAYLOAD_INDEX_KIND_BOOL;
  }
  return v1::PAYLOAD_INDEX_KIND_UNSPECIFIED;
}

v1::IvfEncoding ToProto(IvfEncoding encoding) {
  switch (encoding) {
    case IvfEncoding::kFlat:
      return v1::IVF_ENCODING_FLAT;
    case IvfEncoding::kPq4:
      return v1::IVF_ENCODING_PQ4;
    case IvfEncoding::kPq8:
      return v1::IVF_ENCODING_PQ8;
    case IvfEncoding::kRaBitQ:
      return v1::IVF_ENCODING_RABITQ;
  }
  return v1::IVF_ENCODING_UNSPECIFIED;
}

}  // namespace vettore
