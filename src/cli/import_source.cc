#include "cli/import_source.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/command.h"
#include "cli/format/id_list.h"
#include "cli/format/json_record.h"
#include "cli/format/line_reader.h"
#include "cli/format/vector_rows.h"
#include "types/limits.h"

namespace vettore {
namespace {

class RecordSource : public ImportSource {
 public:
  explicit RecordSource(InputFile file) : reader_(std::move(file)) {}
  absl::StatusOr<std::optional<PointRecord>> Next() override { return reader_.Next(); }
  bool resumable() const override { return true; }
  std::string where() const override { return reader_.where(); }
  uint64_t done() const override { return reader_.consumed_bytes(); }
  std::optional<uint64_t> total() const override { return reader_.size(); }

 private:
  PointRecordReader reader_;
};

// One JSON object a line, none left out.
class PayloadLines {
 public:
  explicit PayloadLines(InputFile file) : lines_(std::move(file), 2 * limits::kPayloadBytes) {}

  absl::StatusOr<std::optional<Json>> Next() {
    VETTORE_ASSIGN_OR_RETURN(const std::optional<Line> line, lines_.Next());
    if (!line) return std::nullopt;
    const std::string where = StrCat(lines_.name(), ":", line->number);
    absl::StatusOr<Json> payload = ParseJsonRecord(line->text, limits::kPayloadDepth);
    if (!payload.ok()) return Annotate(payload.status(), where);
    VETTORE_RETURN_IF_ERROR(ValidatePayload(*payload, where));
    return *std::move(payload);
  }
  const std::string& name() const { return lines_.name(); }

 private:
  LineReader lines_;
};

// Rows of vectors beside their ids and payloads, which must be as many.
class RowSource : public ImportSource {
 public:
  RowSource(const ImportSourceOptions& options, std::unique_ptr<VectorRows> rows)
      : options_(options), rows_(std::move(rows)) {}

  absl::Status OpenCompanions() {
    if (!options_.ids.empty()) {
      VETTORE_ASSIGN_OR_RETURN(ids_, OpenIdList(options_.ids));
    }
    if (!options_.payloads.empty()) {
      VETTORE_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(options_.payloads));
      payloads_ = std::make_unique<PayloadLines>(std::move(file));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<PointRecord>> Next() override {
    std::vector<float> row;
    VETTORE_ASSIGN_OR_RETURN(const bool read, rows_->Next(row));
    if (!read) {
      VETTORE_RETURN_IF_ERROR(CheckEnds());
      return std::nullopt;
    }
    PointRecord point;
    VETTORE_ASSIGN_OR_RETURN(point.id, NextId());
    if (payloads_) {
      VETTORE_ASSIGN_OR_RETURN(std::optional<Json> payload, payloads_->Next());
      if (!payload) return TooFew(options_.payloads, "payloads");
      point.payload = *std::move(payload);
    }
    point.vectors.emplace_back(options_.vector_name, std::move(row));
    ++next_;
    return point;
  }

  bool resumable() const override { return false; }
  std::string where() const override {
    return StrCat(options_.path, ": row ", next_ == 0 ? 0 : next_ - 1);
  }
  uint64_t done() const override { return next_; }
  std::optional<uint64_t> total() const override { return rows_->count(); }

 private:
  absl::StatusOr<PointId> NextId() {
    if (!ids_) return PointId(rows_->id().value_or(options_.start_id + next_));
    VETTORE_ASSIGN_OR_RETURN(std::optional<PointId> id, ids_->Next());
    if (!id) return TooFew(options_.ids, "ids");
    return *std::move(id);
  }
  absl::Status TooFew(const std::string& path, std::string_view what) const {
    return absl::InvalidArgumentError(
        StrCat(path, " holds ", next_, " ", what, ", ", options_.path, " has more rows"));
  }
  absl::Status CheckEnds() {
    bool more = false;
    if (ids_) {
      VETTORE_ASSIGN_OR_RETURN(const std::optional<PointId> id, ids_->Next());
      more = id.has_value();
    }
    if (payloads_ && !more) {
      VETTORE_ASSIGN_OR_RETURN(const std::optional<Json> payload, payloads_->Next());
      more = payload.has_value();
    }
    if (!more) return absl::OkStatus();
    return absl::InvalidArgumentError(StrCat(options_.path, " has ", next_,
                                             " rows, there are more ids or payloads than that; do "
                                             "the files belong together?"));
  }

  const ImportSourceOptions options_;
  std::unique_ptr<VectorRows> rows_;
  std::unique_ptr<IdList> ids_;
  std::unique_ptr<PayloadLines> payloads_;
  uint64_t next_ = 0;
};

absl::StatusOr<std::unique_ptr<ImportSource>> OpenFaissSource(const ImportSourceOptions& options) {
  if (!options.ids.empty() || !options.payloads.empty() || options.start_id != 0) {
    return UsageError(
        "--ids, --payloads and --start-id do not go with an index of FAISS: it has ids, and an "
        "order, of its own");
  }
  if (options.path == "-") return UsageError("an index of FAISS is read from a file, not from -");
  VETTORE_ASSIGN_OR_RETURN(std::unique_ptr<VectorRows> rows, OpenFaissRows(options.path));
  return std::make_unique<RowSource>(options, std::move(rows));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ImportSource>> OpenImportSource(const ImportSourceOptions& options) {
  const std::string name = options.format.empty() ? options.path : "." + options.format;
  const bool records =
      absl::EndsWithIgnoreCase(name, ".jsonl") || absl::EndsWithIgnoreCase(name, ".ndjson");
  const bool is_faiss = IsFaissFile(name);
  const std::optional<VectorFormat> format = VectorFormatOf(name);
  if (!records && !is_faiss && !format) {
    return UsageError(
        StrCat(options.format.empty() ? options.path : "--format " + options.format,
               ": .npy, .fvecs, .bvecs, .faiss or .jsonl is wanted; --format says what the "
               "extension does not"));
  }
  if (records && (!options.ids.empty() || !options.payloads.empty() || options.start_id != 0 ||
                  !options.vector_name.empty())) {
    return UsageError(
        "--ids, --payloads, --start-id and --vector-name are for files of bare vectors; JSON Lines "
        "hold ids, payloads and names themselves");
  }
  if (is_faiss) return OpenFaissSource(options);
  VETTORE_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(options.path));
  if (records) return std::make_unique<RecordSource>(std::move(file));
  VETTORE_ASSIGN_OR_RETURN(std::unique_ptr<VectorRows> rows,
                           OpenVectorRows(std::move(file), *format, OneDimensional::kRefuse));
  auto source = std::make_unique<RowSource>(options, std::move(rows));
  VETTORE_RETURN_IF_ERROR(source->OpenCompanions());
  return source;
}

}  // namespace vettore
