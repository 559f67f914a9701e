// `vettore export`: the points of a collection as JSON Lines.
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/filter_expression.h"
#include "cli/format/point_records.h"
#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "server/convert_payload.h"
#include "server/convert_point.h"

namespace vettore {
namespace {

constexpr uint64_t kPagePoints = 1'000;
constexpr uint64_t kPageBytes = 4 << 20;

struct ExportOptions {
  std::string collection;
  std::string output = "-";
  std::string filter;
  bool without_vectors = false;
};

absl::StatusOr<PointRecord> RecordOf(const v1::StoredPoint& point) {
  PointRecord record;
  VETTORE_ASSIGN_OR_RETURN(record.id, PointIdFromProto(point.id(), FieldPath("id")));
  VETTORE_ASSIGN_OR_RETURN(record.payload, PayloadFromProto(point.payload(), FieldPath("payload")));
  for (const v1::NamedVector& vector : point.vectors()) {
    record.vectors.emplace_back(vector.name(),
                                std::vector<float>(vector.values().begin(), vector.values().end()));
  }
  return record;
}

// Points a page such that a page's vectors stay well below the size of a message.
uint64_t PageLimit(const v1::CollectionConfig& config) {
  uint64_t bytes =
      1'024;  // Of id and payload, as a guess; a page that is too large is asked for again, halved.
  for (const v1::VectorConfig& vector : config.vectors()) bytes += 4 * uint64_t{vector.dimension()};
  return std::clamp<uint64_t>(kPageBytes / bytes, 1, kPagePoints);
}

absl::StatusOr<v1::ScrollResponse> NextPage(const Connection& connection,
                                            v1::ScrollRequest& request) {
  while (true) {
    absl::StatusOr<v1::ScrollResponse> page =
        connection.Call(connection.points(), &v1::Points::Stub::Scroll, request);
    const bool too_large = absl::IsResourceExhausted(page.status()) && request.limit() > 1;
    if (!too_large) return page;
    request.set_limit(request.limit() / 2);
  }
}

absl::Status WritePages(const Connection& connection, v1::ScrollRequest request, OutputFile& file,
                        ProgressMeter& meter) {
  while (true) {
    VETTORE_ASSIGN_OR_RETURN(const v1::ScrollResponse page, NextPage(connection, request));
    for (const v1::StoredPoint& point : page.points()) {
      VETTORE_ASSIGN_OR_RETURN(const PointRecord record, RecordOf(point));
      VETTORE_RETURN_IF_ERROR(file.Write(FormatPointRecord(record) + "\n"));
    }
    meter.Add(static_cast<uint64_t>(page.points_size()), 0);
    meter.SetDone(meter.state().items);
    meter.Draw();
    if (!page.has_next()) return absl::OkStatus();
    if (InterruptScope::Happened()) {
      return InterruptedError(StrCat("interrupted after ", CountOf(meter.state().items, "point")));
    }
    *request.mutable_from_id() = page.next();
  }
}

absl::Status RunExport(const GlobalOptions& globals, const ExportOptions& options) {
  v1::ScrollRequest request;
  request.set_collection(options.collection);
  request.mutable_selection()->set_payload(true);
  request.mutable_selection()->set_vectors(!options.without_vectors);
  v1::CountRequest count;
  count.set_collection(options.collection);
  if (!options.filter.empty()) {
    VETTORE_ASSIGN_OR_RETURN(*request.mutable_filter(), ParseFilterExpression(options.filter));
    *count.mutable_filter() = request.filter();
  }
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  v1::GetCollectionRequest get;
  get.set_name(options.collection);
  VETTORE_ASSIGN_OR_RETURN(
      const v1::GetCollectionResponse found,
      connection.Call(connection.collections(), &v1::Collections::Stub::GetCollection, get));
  request.set_limit(PageLimit(found.collection().config()));
  VETTORE_ASSIGN_OR_RETURN(const v1::CountResponse counted,
                           connection.Call(connection.points(), &v1::Points::Stub::Count, count));
  VETTORE_ASSIGN_OR_RETURN(OutputFile file, OutputFile::Create(options.output));
  const InterruptScope interrupts;
  ProgressMeter meter(ChooseProgressStyle(globals.quiet || globals.json), "points",
                      counted.count());
  VETTORE_RETURN_IF_ERROR(WritePages(connection, std::move(request), file, meter));
  VETTORE_RETURN_IF_ERROR(file.Close());
  meter.Finish();
  Notice(globals, StrCat("exported ", CountOf(meter.state().items, "point"), " of '",
                         options.collection, "' in ", FormatSpan(meter.state().elapsed)));
  return absl::OkStatus();
}

}  // namespace

void AddExportCommand(CommandLine& line) {
  CLI::App* command = line.Add(
      line.app(),
      {.name = "export",
       .summary = "Write the points of a collection as JSON Lines",
       .text = "Writes each point, in the order of the ids, as {\"id\", \"vector\" or \"vectors\", "
               "\"payload\"}: integers exactly, floats in the shortest form that reads back as "
               "the same float. vettore import reads it. A collection of documents is exported "
               "passage by passage. Writes that go on meanwhile may or may not be seen.",
       .examples = "  vettore export -c notes -o notes.jsonl\n"
                   "  vettore export -c notes | gzip > notes.jsonl.gz\n"
                   "  vettore export -c notes --filter 'year >= 2000' --without-vectors\n"});
  const auto options = std::make_shared<ExportOptions>();
  command->add_option("-c,--collection", options->collection, "The collection or an alias")
      ->required()
      ->type_name("NAME");
  command->add_option("-o,--output", options->output, "A file; default: standard output")
      ->type_name("FILE");
  command
      ->add_option("-f,--filter", options->filter,
                   "Only points that match; vettore search --help explains filters")
      ->type_name("EXPRESSION");
  command->add_flag("--without-vectors", options->without_vectors, "Ids and payloads only");
  line.Run(command,
           [options](const GlobalOptions& globals) { return RunExport(globals, *options); });
}

}  // namespace vettore
