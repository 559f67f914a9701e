// How search results are shown, to programs and to people.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "types/json.h"
#include "vettore/v1/documents.pb.h"
#include "vettore/v1/search.pb.h"

namespace vettore {

Json PassageJson(const v1::Passage& passage);
absl::StatusOr<Json> ScoredPointJson(const v1::ScoredPoint& point);
Json TraceJson(const v1::SearchTrace& trace);

// A few lines: rank, score, title, source with its byte range, and the text wrapped to `width`.
std::string DescribePassage(const v1::Passage& passage, size_t rank, size_t width);
std::string DescribePoint(const v1::ScoredPoint& point, size_t rank, size_t width);
// Where the time went; `round_trip` as the client saw it.
std::string DescribeTrace(const v1::SearchTrace& trace, absl::Duration round_trip);

}  // namespace vettore
