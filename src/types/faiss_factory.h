// Which of FAISS's factory strings a collection may name, checked without FAISS.
//
//   factory    (transform ",")* structure
//   transform  "PCA" n | "PCAR" n | "OPQ" m ["_" n] | "RR" [n] | "Pad" n | "L2norm"
//   structure  store | "HNSW" [m] [("," | "_") ("Flat" | sq | pq)]
//              | "IVF" lists ["k"] ["_HNSW" [m]] "," ("Flat" | sq | pq | "PQ" m "x4fsr")
//   store      "Flat" | sq | pq | "LSH" ["r"] ["t"]
//   sq         "SQ4" | "SQ6" | "SQ8" | "SQfp16"
//   pq         "PQ" m ["x" bits] ["np"] | "PQ" m "x4fs"
//
// n is a dimension; m of a PQ divides the dimension where it stands.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace vettore {

// What a factory string asks of the vectors that it is trained on.
struct FaissFactory {
  uint32_t most_centroids = 0;  // Of one k-means; 0: none runs.
  uint32_t least_sample = 0;    // Vectors that the training wants, at least.
  bool keeps_vectors = false;   // In 32 bits a value and in full: what it finds lies in true order.
};

// What only FAISS knows, such as which metric goes with what, is checked by CheckVectorIndex().
// InvalidArgument with what was wanted: it does not parse, does not fit the dimension, or would
// take memory out of proportion to the vectors.
absl::StatusOr<FaissFactory> ParseFaissFactory(std::string_view factory, uint32_t dimension);

// "name=number" with commas between, as FAISS's ParameterSpace takes them; "" is none.
// InvalidArgument.
absl::Status CheckFaissParameters(std::string_view parameters);

}  // namespace vettore
