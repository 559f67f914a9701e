// `vettore export`: the points of a collection as JSON Lines, or their vectors as an index of
// FAISS.
#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"
#include "base/strings.h"
#include "bench/faiss_file.h"
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
  std::string format = "jsonl";
  std::optional<std::string> factory;      // Of the index that is written.
  std::optional<std::string> vector_name;  // Which vector goes into it.
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

// Takes one point after the other.
using TakePoint = std::function<absl::Status(const PointRecord&)>;

absl::Status ReadPages(const Connection& connection, v1::ScrollRequest request,
                       const TakePoint& take, ProgressMeter& meter) {
  while (true) {
    VETTORE_ASSIGN_OR_RETURN(const v1::ScrollResponse page, NextPage(connection, request));
    for (const v1::StoredPoint& point : page.points()) {
      VETTORE_ASSIGN_OR_RETURN(const PointRecord record, RecordOf(point));
      VETTORE_RETURN_IF_ERROR(take(record));
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

// Collects the named vector of each point. Externally synchronised.
class FaissExport {
 public:
  static absl::StatusOr<FaissExport> Make(const ExportOptions& options,
                                          const v1::CollectionConfig& config) {
    const std::string name = options.vector_name.value_or("");
    for (const v1::VectorConfig& vector : config.vectors()) {
      if (vector.name() != name) continue;
      const Metric metric = vector.metric() == v1::METRIC_L2              ? Metric::kL2
                            : vector.metric() == v1::METRIC_INNER_PRODUCT ? Metric::kInnerProduct
                                                                          : Metric::kCosine;
      VETTORE_ASSIGN_OR_RETURN(auto writer,
                               bench::FaissFileWriter::Make(options.factory.value_or("Flat"),
                                                            vector.dimension(), metric));
      return FaissExport(name, std::move(writer));
    }
    return absl::NotFoundError(StrCat("'", options.collection, "' has no vector '", name,
                                      "'; --vector-name says which to export"));
  }

  absl::Status Take(const PointRecord& point) {
    if (!point.id.is_number()) {
      return absl::InvalidArgumentError(
          StrCat("point ", point.id.ToString(),
                 ": an index of FAISS takes integers as ids; export JSON Lines, or store the "
                 "points under integers"));
    }
    for (const auto& [name, values] : point.vectors) {
      if (name == name_) return writer_->Add(point.id.number(), values);
    }
    ++without_;
    return absl::OkStatus();
  }
  // Points that did not have the vector.
  uint64_t without() const { return without_; }
  absl::Status Write(OutputFile& file) {
    return writer_->Finish([&file](std::string_view bytes) { return file.Write(bytes); });
  }

 private:
  FaissExport(std::string name, std::unique_ptr<bench::FaissFileWriter> writer)
      : name_(std::move(name)), writer_(std::move(writer)) {}

  std::string name_;
  std::unique_ptr<bench::FaissFileWriter> writer_;
  uint64_t without_ = 0;
};

absl::Status CheckOptions(const ExportOptions& options) {
  if (options.format != "jsonl" && options.format != "faiss") {
    return UsageError(StrCat("--format '", options.format, "': jsonl or faiss is wanted"));
  }
  const bool is_faiss = options.format == "faiss";
  if (!is_faiss && (options.factory || options.vector_name)) {
    return UsageError("--factory and --vector-name go with --format faiss");
  }
  if (is_faiss && options.without_vectors) {
    return UsageError("--without-vectors leaves nothing for --format faiss");
  }
  return absl::OkStatus();
}

absl::Status RunExport(const GlobalOptions& globals, const ExportOptions& options) {
  VETTORE_RETURN_IF_ERROR(CheckOptions(options));
  v1::ScrollRequest request;
  request.set_collection(options.collection);
  request.mutable_selection()->set_payload(options.format == "jsonl");
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
  std::optional<FaissExport> faiss;
  if (options.format == "faiss") {
    VETTORE_ASSIGN_OR_RETURN(faiss, FaissExport::Make(options, found.collection().config()));
  }
  VETTORE_ASSIGN_OR_RETURN(OutputFile file, OutputFile::Create(options.output));
  const InterruptScope interrupts;
  ProgressMeter meter(ChooseProgressStyle(globals.quiet || globals.json), "points",
                      counted.count());
  const TakePoint take = [&](const PointRecord& point) {
    return faiss ? faiss->Take(point) : file.Write(FormatPointRecord(point) + "\n");
  };
  VETTORE_RETURN_IF_ERROR(ReadPages(connection, std::move(request), take, meter));
  if (faiss) {
    VETTORE_RETURN_IF_ERROR(faiss->Write(file));
  }
  VETTORE_RETURN_IF_ERROR(file.Close());
  meter.Finish();
  if (faiss && faiss->without() > 0) {
    Notice(globals, StrCat(CountOf(faiss->without(), "point"), " without the vector left out"));
  }
  Notice(globals, StrCat("exported ", CountOf(meter.state().items, "point"), " of '",
                         options.collection, "' in ", FormatSpan(meter.state().elapsed)));
  return absl::OkStatus();
}

}  // namespace

void AddExportCommand(CommandLine& line) {
  CLI::App* command = line.Add(
      line.app(),
      {.name = "export",
       .summary = "Write the points of a collection as JSON Lines, or as an index of FAISS",
       .text = "Writes each point, in the order of the ids, as {\"id\", \"vector\" or \"vectors\", "
               "\"payload\"}: integers exactly, floats in the shortest form that reads back as "
               "the same float. vettore import reads it. A collection of documents is exported "
               "passage by passage. --format faiss writes an index file of FAISS instead, an "
               "IndexIDMap2 of one vector of each point, made in memory; ids must be integers, and "
               "vectors of the metric cosine become one of inner products. Writes that go on "
               "meanwhile may or may not be seen.",
       .examples = "  vettore export -c notes -o notes.jsonl\n"
                   "  vettore export -c notes | gzip > notes.jsonl.gz\n"
                   "  vettore export -c notes --filter 'year >= 2000' --without-vectors\n"
                   "  vettore export -c images --format faiss --factory IVF1024,PQ32 -o "
                   "images.faiss\n"});
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
  command->add_option("--format", options->format, "jsonl or faiss")
      ->capture_default_str()
      ->type_name("FORMAT");
  command
      ->add_option("--factory", options->factory,
                   "FAISS: the factory string of the index; default Flat")
      ->type_name("STRING");
  command
      ->add_option("--vector-name", options->vector_name,
                   "FAISS: the vector that goes into the index; default: the unnamed one")
      ->type_name("NAME");
  line.Run(command,
           [options](const GlobalOptions& globals) { return RunExport(globals, *options); });
}

}  // namespace vettore
