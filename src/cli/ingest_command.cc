// `vettore ingest`: documents out of files, folders and standard input into a collection.
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
#include "cli/format/document_source.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "server/convert_payload.h"

namespace vettore {
namespace {

// Large enough that the server embeds many texts at once, small enough that progress is seen to
// move.
constexpr int kBatchDocuments = 64;
constexpr size_t kBatchBytes = 64 << 10;

struct IngestOptions {
  std::vector<std::string> paths;
  std::string collection = "documents";
  CollectionOptions create;
  std::string format;
  std::string text_field = "text";
  std::string invalid_utf8 = "error";
  bool skip_invalid = false;
};

// Makes batches of documents and keeps the books. Externally synchronised.
class DocumentIngest : public BulkSource<DocumentBulk> {
 public:
  DocumentIngest(const GlobalOptions& globals, const IngestOptions& options, SourceListing listing,
                 const DocumentReaderOptions& reader)
      : globals_(globals),
        options_(options),
        skipped_files_(std::move(listing.skipped)),
        source_(std::move(listing.files), reader),
        meter_(ChooseProgressStyle(globals.quiet || globals.json), "documents",
               source_.total_bytes()),
        failures_(globals, meter_) {}

  absl::StatusOr<std::optional<BulkBatch<DocumentBulk>>> NextBatch() override {
    BulkBatch<DocumentBulk> batch;
    batch.request.set_collection(options_.collection);
    size_t bytes = 0;
    while (!stopped_ && batch.request.documents_size() < kBatchDocuments && bytes < kBatchBytes) {
      absl::StatusOr<std::optional<InputDocument>> document = source_.Next();
      if (absl::IsCancelled(document.status())) return document.status();
      if (!document.ok()) {
        failures_.Add(StdView(document.status().message()));
        if (options_.skip_invalid) continue;
        // What was read before the bad record is sent; the next call ends the run.
        stopped_ = true;
        break;
      }
      if (!*document) break;
      bytes += (*document)->text.size();
      Append(**std::move(document), batch);
    }
    batch.consumed_bytes = source_.consumed_bytes();
    if (batch.request.documents_size() > 0) return batch;
    if (stopped_) return StoppedError();
    return std::nullopt;
  }

  void OnStored(const BulkBatch<DocumentBulk>& batch,
                const v1::UpsertDocumentsResponse& response) override {
    const auto done = static_cast<uint64_t>(batch.request.documents_size()) + batch.replaced;
    // Of a batch that was stored before its answer got lost, the passages and tokens are not known.
    meter_.Add(done, response.tokens());
    meter_.SetDone(batch.consumed_bytes);
    passages_ += response.chunks();
    replaced_passages_ += response.replaced_chunks();
    meter_.Draw();
  }

  absl::Status OnRefused(const std::string& place, const std::string& message) override {
    failures_.Add(StrCat(place, ": ", message));
    if (options_.skip_invalid) return absl::OkStatus();
    return StoppedError();
  }

  void OnTick() override { meter_.Draw(); }
  void OnNotice(const std::string& message) override {
    meter_.Clear();
    Notice(globals_, message);
  }

  // Prints the summary and gives the status of the whole command.
  absl::Status Report(const absl::Status& ran) {
    meter_.Finish();
    if (globals_.json) {
      PrintJson(SummaryJson());
    } else {
      PrintSummary();
    }
    if (IsInterrupted(ran)) {
      return InterruptedError(
          "interrupted; run the same command again to go on: documents that are stored already "
          "are replaced, not doubled");
    }
    if (!ran.ok()) return ran;
    if (failures_.count() == 0) return absl::OkStatus();
    return absl::InvalidArgumentError(
        StrCat("not everything is stored: ", CountOf(failures_.count(), "record"), " left out"));
  }

 private:
  static absl::Status StoppedError() {
    return absl::InvalidArgumentError(
        "stopped at a record that cannot be stored; correct it, or pass --skip-invalid to leave "
        "such records out");
  }

  void Append(InputDocument document, BulkBatch<DocumentBulk>& batch) const {
    v1::Document& out = *batch.request.add_documents();
    out.set_id(std::move(document.id));
    out.set_title(std::move(document.title));
    out.set_text(std::move(document.text));
    if (!document.metadata.empty()) PayloadToProto(document.metadata, *out.mutable_metadata());
    batch.places.push_back(std::move(document.where));
  }

  Json SummaryJson() const {
    return {{"collection", options_.collection},
            {"documents", meter_.state().items},
            {"passages", passages_},
            {"tokens", meter_.state().tokens},
            {"replaced_passages", replaced_passages_},
            {"failed", failures_.count()},
            {"failures", failures_.messages()},
            {"skipped_files", skipped_files_},
            {"seconds", absl::ToDoubleSeconds(meter_.state().elapsed)}};
  }

  void PrintSummary() const {
    const ProgressState& state = meter_.state();
    std::cout << "stored " << CountOf(state.items, "document") << " as "
              << CountOf(passages_, "passage") << " (" << CountOf(state.tokens, "token") << ") in '"
              << options_.collection << "' in " << FormatSpan(state.elapsed);
    if (replaced_passages_ > 0) {
      std::cout << "; " << CountOf(replaced_passages_, "older passage") << " replaced";
    }
    if (failures_.count() > 0) {
      std::cout << "; " << CountOf(failures_.count(), "record") << " not stored";
    }
    std::cout << "\n";
    if (skipped_files_.empty()) return;
    constexpr size_t kShown = 3;
    std::string names;
    for (size_t i = 0; i < skipped_files_.size() && i < kShown; ++i) {
      StrAppend(&names, names.empty() ? "" : ", ", skipped_files_[i]);
    }
    Notice(globals_,
           StrCat("left out ", CountOf(skipped_files_.size(), "file"), " of other kinds: ", names,
                  skipped_files_.size() > kShown ? ", ..." : ""));
  }

  const GlobalOptions& globals_;
  const IngestOptions& options_;
  const std::vector<std::string> skipped_files_;
  DocumentSource source_;
  ProgressMeter meter_;
  FailureLog failures_;
  uint64_t passages_ = 0;
  uint64_t replaced_passages_ = 0;
  bool stopped_ = false;
};

absl::StatusOr<DocumentReaderOptions> ReaderOptions(const IngestOptions& options) {
  DocumentReaderOptions reader;
  reader.text_field = options.text_field;
  if (options.invalid_utf8 == "replace") {
    reader.invalid_utf8 = InvalidUtf8::kReplace;
  } else if (options.invalid_utf8 != "error") {
    return UsageError(
        StrCat("--invalid-utf8 '", options.invalid_utf8, "': error or replace is wanted"));
  }
  return reader;
}

absl::StatusOr<SourceListing> ListInput(const IngestOptions& options) {
  std::optional<DocumentFormat> format;
  if (!options.format.empty()) {
    format = ParseDocumentFormat(options.format);
    if (!format) {
      return UsageError(
          StrCat("--format '", options.format, "': txt, md, rst, jsonl, csv or tsv is wanted"));
    }
  }
  VETTORE_ASSIGN_OR_RETURN(SourceListing listing, ListSources(options.paths, format));
  if (!listing.files.empty()) return listing;
  return absl::NotFoundError(StrCat(
      "nothing to ingest: no .txt, .md, .rst, .jsonl, .csv or .tsv file in ", options.paths.front(),
      " (", CountOf(listing.skipped.size(), "file"), " of other kinds)"));
}

// Makes the collection when it is missing; refuses one that cannot take the documents.
absl::Status PrepareCollection(const GlobalOptions& globals, const Connection& connection,
                               const IngestOptions& options) {
  VETTORE_ASSIGN_OR_RETURN(std::optional<v1::CollectionInfo> found,
                           FindCollection(connection, options.collection));
  if (!found) {
    VETTORE_ASSIGN_OR_RETURN(const v1::CollectionConfig config,
                             DocumentCollectionConfig(connection, options.create));
    VETTORE_ASSIGN_OR_RETURN(found, CreateIfMissing(connection, options.collection, config));
    if (!found->config().vectors().empty()) {
      Notice(globals, StrCat("made collection '", options.collection, "' with model ",
                             found->config().vectors(0).model().name()));
    }
  }
  if (!found->config().has_documents() || found->config().vectors().empty()) {
    return absl::FailedPreconditionError(
        StrCat("collection '", options.collection,
               "' takes points, not documents; name another with --collection, or use vettore "
               "import"));
  }
  const std::string& model = found->config().vectors(0).model().name();
  if (options.create.model.empty() || options.create.model == model) return absl::OkStatus();
  return absl::FailedPreconditionError(
      StrCat("collection '", options.collection, "' embeds with model '", model, "', not with '",
             options.create.model, "'; leave --model out or name another collection"));
}

absl::Status RunIngest(const GlobalOptions& globals, const IngestOptions& options) {
  VETTORE_ASSIGN_OR_RETURN(const DocumentReaderOptions reader, ReaderOptions(options));
  VETTORE_ASSIGN_OR_RETURN(SourceListing listing, ListInput(options));
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  VETTORE_RETURN_IF_ERROR(PrepareCollection(globals, connection, options));
  const InterruptScope interrupts;
  DocumentIngest ingest(globals, options, std::move(listing), reader);
  BulkStream<DocumentBulk> stream(connection);
  const absl::Status ran = stream.Run(ingest);
  return ingest.Report(ran);
}

}  // namespace

void AddIngestCommand(CommandLine& line) {
  CLI::App* command = line.Add(
      line.app(),
      {.name = "ingest",
       .summary = "Store documents: files, folders, standard input",
       .text =
           "Reads documents, sends them to the server, which cuts them into passages and embeds "
           "them, and makes the collection when it is missing. Each .txt, .md and .rst file is "
           "one document, whose id is its path within the folder; .jsonl holds one document a "
           "line ({\"id\", \"title\", \"text\", \"metadata\"}, other keys join the metadata); "
           ".csv and .tsv have a header with a column text, and id, title or metadata columns. "
           "Folders are read recursively, without hidden files. A document that was stored "
           "before is replaced. A record without text is stored with its title as its text.",
       .examples = "  vettore ingest handbook/\n"
                   "  vettore ingest corpus.jsonl --collection papers --model all-MiniLM-L6-v2\n"
                   "  vettore ingest reviews.csv --text-field body --payload-index "
                   "metadata.stars:integer\n"
                   "  zcat corpus.jsonl.gz | vettore ingest - --format jsonl --skip-invalid\n"});
  const auto options = std::make_shared<IngestOptions>();
  command->add_option("paths", options->paths, "Files and folders; - is standard input")
      ->required();
  command->add_option("-c,--collection", options->collection, "The collection")
      ->capture_default_str()
      ->type_name("NAME");
  command
      ->add_option("--format", options->format,
                   "What the files are, whatever their extension: txt, md, rst, jsonl, csv, tsv")
      ->type_name("FORMAT");
  command->add_option("--text-field", options->text_field, "The key or column that holds the text")
      ->capture_default_str();
  command->add_flag("--skip-invalid", options->skip_invalid,
                    "Leave out records that cannot be stored; they are shown and counted, and the "
                    "exit code is 1");
  command
      ->add_option("--invalid-utf8", options->invalid_utf8,
                   "Of text that is not UTF-8: error, or replace with U+FFFD")
      ->capture_default_str();
  options->create.AddModelOption(*command);
  options->create.AddChunkOptions(*command);
  options->create.AddIndexOptions(*command);
  line.Run(command,
           [options](const GlobalOptions& globals) { return RunIngest(globals, *options); });
}

}  // namespace vettore
