#include "cli/search_view.h"

#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/format/blank.h"
#include "cli/terminal.h"
#include "server/convert_payload.h"
#include "server/convert_point.h"

namespace vettore {
namespace {

constexpr size_t kIndent = 4;
constexpr size_t kPassageLines = 5;
constexpr size_t kPayloadLines = 4;

Json PayloadJson(const v1::Payload& payload) {
  absl::StatusOr<Json> json = PayloadFromProto(payload, FieldPath("payload"));
  return json.ok() ? *std::move(json) : Json();
}

std::string Head(size_t rank, float score) {
  return StrCat(absl::StrFormat("%2d. ", rank), FormatScore(score), "  ");
}

std::string PayloadText(const v1::Payload& payload) {
  return PayloadJson(payload).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Json PassageJson(const v1::Passage& passage) {
  return {{"score", passage.score()}, {"document_id", passage.document_id()},
          {"title", passage.title()}, {"chunk", passage.chunk()},
          {"begin", passage.begin()}, {"end", passage.end()},
          {"text", passage.text()},   {"metadata", PayloadJson(passage.metadata())}};
}

absl::StatusOr<Json> ScoredPointJson(const v1::ScoredPoint& point) {
  VETTORE_ASSIGN_OR_RETURN(const PointId id, PointIdFromProto(point.point().id(), FieldPath("id")));
  Json json = {{"score", point.score()},
               {"id", id.is_number() ? Json(id.number()) : Json(id.text())},
               {"version", point.point().version()},
               {"payload", PayloadJson(point.point().payload())}};
  for (const v1::NamedVector& vector : point.point().vectors()) {
    json["vectors"][vector.name()] = vector.values();
  }
  return json;
}

Json TraceJson(const v1::SearchTrace& trace) {
  return {{"plan", trace.plan()},
          {"distances", trace.distances()},
          {"tokenize_us", trace.tokenize_us()},
          {"embed_us", trace.embed_us()},
          {"filter_us", trace.filter_us()},
          {"search_us", trace.search_us()},
          {"total_us", trace.total_us()},
          {"query_truncated", trace.query_truncated()}};
}

std::string DescribePassage(const v1::Passage& passage, size_t rank, size_t width) {
  const std::string id = Printable(passage.document_id(), Lines::kJoin);
  const std::string title = Printable(passage.title(), Lines::kJoin);
  std::string out = StrCat(Head(rank, passage.score()), title.empty() ? id : title, "\n");
  StrAppend(&out, std::string(kIndent, ' '), id, ", bytes ", passage.begin(), " to ", passage.end(),
            "\n");
  if (!passage.metadata().fields().empty()) {
    StrAppend(&out,
              Wrap(Printable(PayloadText(passage.metadata()), Lines::kJoin), kIndent, width, 1));
  }
  StrAppend(&out, Wrap(Printable(passage.text(), Lines::kJoin), kIndent, width, kPassageLines));
  return out;
}

std::string DescribePoint(const v1::ScoredPoint& point, size_t rank, size_t width) {
  const v1::PointId& id = point.point().id();
  std::string out =
      StrCat(Head(rank, point.score()),
             id.has_number() ? StrCat(id.number()) : Printable(id.text(), Lines::kJoin), "\n");
  if (!point.point().payload().fields().empty()) {
    StrAppend(&out, Wrap(Printable(PayloadText(point.point().payload()), Lines::kJoin), kIndent,
                         width, kPayloadLines));
  }
  for (const v1::NamedVector& vector : point.point().vectors()) {
    constexpr int kShown = 6;
    std::string numbers;
    for (int i = 0; i < vector.values_size() && i < kShown; ++i) {
      StrAppend(&numbers, i > 0 ? ", " : "", absl::StrFormat("%.4g", vector.values(i)));
    }
    StrAppend(&out, std::string(kIndent, ' '), vector.name().empty() ? "vector" : vector.name(),
              " [", numbers, vector.values_size() > kShown ? ", ...]" : "]", "\n");
  }
  return out;
}

std::string DescribeTrace(const v1::SearchTrace& trace, absl::Duration round_trip) {
  const auto row = [](std::string name, uint64_t microseconds) {
    return std::vector<std::string>{
        std::move(name), absl::StrFormat("%.2f ms", static_cast<double>(microseconds) / 1e3)};
  };
  const auto whole = static_cast<uint64_t>(absl::ToInt64Microseconds(round_trip));
  std::vector<std::vector<std::string>> rows = {
      row("tokenize", trace.tokenize_us()),    row("embed", trace.embed_us()),
      row("filter", trace.filter_us()),        row("search", trace.search_us()),
      row("server, in all", trace.total_us()), row("round trip", whole)};
  return StrCat("plan: ", trace.plan(), ", ", FormatCount(trace.distances()), " distances\n",
                FormatTable(rows, {Align::kLeft, Align::kRight}));
}

}  // namespace vettore
