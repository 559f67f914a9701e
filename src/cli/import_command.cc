// `vettore import`: vectors, with ids and payloads, into a collection.
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "cli/bulk_stream.h"
#include "cli/collection_options.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/failure_log.h"
#include "cli/import_source.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "server/convert_payload.h"
#include "server/convert_point.h"

namespace vettore {
namespace {

constexpr int kBatchPoints = 1'000;
constexpr size_t kBatchBytes = 900
                               << 10;  // A batch is one record of the log, which stay under 1 MB.

struct ImportOptions {
  ImportSourceOptions source;
  std::string collection;
  CollectionOptions create;
  bool skip_invalid = false;
};

// Makes batches of points and keeps the books. Externally synchronised.
class PointImport : public BulkSource<PointBulk> {
 public:
  // `first` was read already, to learn the dimensions.
  PointImport(const GlobalOptions& globals, const ImportOptions& options, ImportSource& source,
              std::optional<PointRecord> first)
      : globals_(globals),
        options_(options),
        source_(source),
        first_(std::move(first)),
        meter_(ChooseProgressStyle(globals.quiet || globals.json), "points", source.total()),
        failures_(globals, meter_) {}

  absl::StatusOr<std::optional<BulkBatch<PointBulk>>> NextBatch() override {
    BulkBatch<PointBulk> batch;
    batch.request.set_collection(options_.collection);
    size_t bytes = 0;
    while (!stopped_ && batch.request.points_size() < kBatchPoints && bytes < kBatchBytes) {
      absl::StatusOr<std::optional<PointRecord>> record =
          first_ ? std::exchange(first_, std::nullopt) : source_.Next();
      if (absl::IsCancelled(record.status())) return record.status();
      if (!record.ok()) {
        failures_.Add(StdView(record.status().message()));
        const bool go_on = options_.skip_invalid && source_.resumable() &&
                           absl::IsInvalidArgument(record.status());
        stopped_ = !go_on;
        continue;
      }
      if (!*record) break;
      Append(**record, batch);
      bytes += batch.request.points(batch.request.points_size() - 1).ByteSizeLong();
    }
    batch.consumed_bytes = source_.done();
    if (batch.request.points_size() > 0) return batch;
    if (stopped_) return StoppedError();
    return std::nullopt;
  }

  void OnStored(const BulkBatch<PointBulk>& batch, const v1::UpsertResponse&) override {
    meter_.Add(static_cast<uint64_t>(batch.request.points_size()) + batch.replaced, 0);
    meter_.SetDone(batch.consumed_bytes);
    meter_.Draw();
  }
  absl::Status OnRefused(const std::string& place, const std::string& message) override {
    failures_.Add(StrCat(place, ": ", message));
    return options_.skip_invalid ? absl::OkStatus() : StoppedError();
  }
  void OnTick() override { meter_.Draw(); }
  void OnNotice(const std::string& message) override {
    meter_.Clear();
    Notice(globals_, message);
  }

  absl::Status Report(const absl::Status& ran) {
    meter_.Finish();
    const ProgressState& state = meter_.state();
    if (globals_.json) {
      PrintJson({{"collection", options_.collection},
                 {"points", state.items},
                 {"failed", failures_.count()},
                 {"failures", failures_.messages()},
                 {"seconds", absl::ToDoubleSeconds(state.elapsed)}});
    } else {
      std::cout << "stored " << CountOf(state.items, "point") << " in '" << options_.collection
                << "' in " << FormatSpan(state.elapsed);
      if (failures_.count() > 0) {
        std::cout << "; " << CountOf(failures_.count(), "record") << " not stored";
      }
      std::cout << "\n";
    }
    if (IsInterrupted(ran)) {
      return InterruptedError(
          "interrupted; run the same command again to go on: points that are stored already are "
          "replaced, not doubled");
    }
    if (!ran.ok() || failures_.count() == 0) return ran;
    return absl::InvalidArgumentError(
        StrCat("not everything is stored: ", CountOf(failures_.count(), "record"), " left out"));
  }

 private:
  static absl::Status StoppedError() {
    return absl::InvalidArgumentError(
        "stopped at a record that cannot be stored; correct it, or, in JSON Lines, pass "
        "--skip-invalid to leave such records out");
  }

  void Append(const PointRecord& record, BulkBatch<PointBulk>& batch) const {
    v1::Point& point = *batch.request.add_points();
    PointIdToProto(record.id, *point.mutable_id());
    for (const auto& [name, values] : record.vectors) {
      v1::NamedVector& vector = *point.add_vectors();
      vector.set_name(name);
      vector.mutable_values()->Add(values.begin(), values.end());
    }
    if (!record.payload.empty()) PayloadToProto(record.payload, *point.mutable_payload());
    batch.places.push_back(source_.where());
  }

  const GlobalOptions& globals_;
  const ImportOptions& options_;
  ImportSource& source_;
  std::optional<PointRecord> first_;
  ProgressMeter meter_;
  FailureLog failures_;
  bool stopped_ = false;
};

// The collection that takes records like `first`.
absl::StatusOr<v1::CollectionConfig> ConfigFor(const ImportOptions& options,
                                               const PointRecord& first) {
  if (first.vectors.empty()) {
    return absl::FailedPreconditionError(
        StrCat("there is no collection '", options.collection,
               "', and the first record has no vectors to make it for; make it with vettore "
               "collection create"));
  }
  v1::CollectionConfig config;
  for (const auto& [name, values] : first.vectors) {
    v1::VectorConfig& vector = *config.add_vectors();
    vector.set_name(name);
    vector.set_dimension(static_cast<uint32_t>(values.size()));
    VETTORE_RETURN_IF_ERROR(options.create.Describe(vector));
  }
  VETTORE_RETURN_IF_ERROR(options.create.DescribePayloadIndexes(config));
  return config;
}

absl::Status RunImport(const GlobalOptions& globals, const ImportOptions& options) {
  VETTORE_ASSIGN_OR_RETURN(const std::unique_ptr<ImportSource> source,
                           OpenImportSource(options.source));
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  VETTORE_ASSIGN_OR_RETURN(std::optional<v1::CollectionInfo> found,
                           FindCollection(connection, options.collection));
  std::optional<PointRecord> first;
  if (!found) {
    VETTORE_ASSIGN_OR_RETURN(first, source->Next());
    if (!first) return absl::InvalidArgumentError(StrCat(options.source.path, ": holds no points"));
    VETTORE_ASSIGN_OR_RETURN(const v1::CollectionConfig config, ConfigFor(options, *first));
    VETTORE_RETURN_IF_ERROR(CreateIfMissing(connection, options.collection, config).status());
    Notice(globals, StrCat("made collection '", options.collection, "': ", options.create.metric,
                           ", ", options.create.index));
  }
  const InterruptScope interrupts;
  PointImport import(globals, options, *source, std::move(first));
  BulkStream<PointBulk> stream(connection);
  const absl::Status ran = stream.Run(import);
  return import.Report(ran);
}

}  // namespace

void AddImportCommand(CommandLine& line) {
  CLI::App* command = line.Add(
      line.app(),
      {.name = "import",
       .summary = "Store vectors out of a file",
       .text = "Reads vectors and stores them as points, and makes the collection when it is "
               "missing. .npy holds (count, dimension) of f4, f2, f8, i1 or u1; .fvecs and .bvecs "
               "are those of the TEXMEX corpora; .jsonl is what export writes: {\"id\", \"vector\" "
               "or \"vectors\", \"payload\"} a line; .faiss and .index are index files of FAISS, "
               "of which "
               "the vectors come as the index has them (by its codes where it has no more) with "
               "the ids of its id map, or their numbers. Rows of bare vectors are numbered from "
               "--start-id, unless --ids names a file of ids (.npy of integers, or one a line).",
       .examples = "  vettore import vectors.npy -c images --metric l2\n"
                   "  vettore import base.fvecs -c sift --metric l2 --m 32\n"
                   "  vettore import vectors.npy -c images --ids ids.txt --payloads about.jsonl\n"
                   "  vettore import ivfpq.faiss -c images --metric l2\n"
                   "  vettore export -c notes | vettore import - --format jsonl -c copy\n"});
  const auto options = std::make_shared<ImportOptions>();
  command->add_option("file", options->source.path, "The file; - is standard input")->required();
  command->add_option("-c,--collection", options->collection, "The collection")
      ->required()
      ->type_name("NAME");
  command->add_option("--format", options->source.format, "jsonl, npy, fvecs, bvecs or faiss")
      ->type_name("FORMAT");
  command->add_option("--ids", options->source.ids, "A file of ids, one a row")->type_name("FILE");
  command
      ->add_option("--payloads", options->source.payloads,
                   "JSON Lines with the payload of each row")
      ->type_name("FILE");
  command->add_option("--start-id", options->source.start_id, "The id of the first row");
  command->add_option("--vector-name", options->source.vector_name,
                      "The vector that rows are stored as; default: the unnamed one");
  command->add_flag("--skip-invalid", options->skip_invalid,
                    "Leave out records that cannot be stored; they are shown and counted, and the "
                    "exit code is 1");
  options->create.AddIndexOptions(*command);
  line.Run(command,
           [options](const GlobalOptions& globals) { return RunImport(globals, *options); });
}

}  // namespace vettore
