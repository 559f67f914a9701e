// `vettore embed`: texts to vectors.
#include <iostream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "base/status.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/format/blank.h"
#include "cli/format/line_reader.h"
#include "cli/format/npy_header.h"
#include "cli/format/point_records.h"
#include "cli/interrupt.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "types/limits.h"

namespace vettore {
namespace {

constexpr int kBatchTexts = 256;
constexpr size_t kBatchBytes = 256 << 10;

struct EmbedOptions {
  std::vector<std::string> texts;
  std::string file;
  std::string model;
  std::string input_type = "document";
  std::string output = "-";
  bool no_truncation = false;
  bool list_models = false;
};

// The texts, of the command line or one a line of a file. Externally synchronised.
class TextSource {
 public:
  static absl::StatusOr<TextSource> Open(const EmbedOptions& options) {
    TextSource source(options.texts);
    if (options.file.empty()) return source;
    VETTORE_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(options.file));
    source.lines_ = std::make_unique<LineReader>(std::move(file), limits::kTextBytes);
    return source;
  }

  absl::StatusOr<std::optional<std::string>> Next() {
    if (!lines_) {
      if (next_ == texts_.size()) return std::nullopt;
      return texts_[next_++];
    }
    VETTORE_ASSIGN_OR_RETURN(const std::optional<Line> line, lines_->Next());
    if (!line) return std::nullopt;
    if (const std::optional<size_t> invalid = FindInvalidUtf8(line->text)) {
      return absl::InvalidArgumentError(StrCat(lines_->name(), ":", line->number, ": byte ",
                                               line->offset + *invalid, " is not UTF-8"));
    }
    if (IsBlank(line->text)) {
      return absl::InvalidArgumentError(
          StrCat(lines_->name(), ":", line->number, ": an empty line has no embedding"));
    }
    return std::string(line->text);
  }

 private:
  explicit TextSource(std::vector<std::string> texts) : texts_(std::move(texts)) {}
  std::vector<std::string> texts_;
  size_t next_ = 0;
  std::unique_ptr<LineReader> lines_;
};

// JSON Lines, or .npy whose header is completed at the end. Externally synchronised.
class EmbeddingWriter {
 public:
  EmbeddingWriter(OutputFile file, bool as_npy) : file_(std::move(file)), as_npy_(as_npy) {}

  absl::Status Write(const std::string& text, const v1::Embedding& embedding) {
    const std::vector<float> values(embedding.values().begin(), embedding.values().end());
    if (!as_npy_) {
      return file_.Write(
          StrCat("{\"text\":", Json(text).dump(-1, ' ', false, Json::error_handler_t::replace),
                 ",\"tokens\":", embedding.tokens(),
                 ",\"truncated\":", embedding.truncated() ? "true" : "false",
                 ",\"embedding\":", FormatFloats(values), "}\n"));
    }
    if (count_ == 0) {
      dimension_ = values.size();
      VETTORE_RETURN_IF_ERROR(file_.Write(WriteNpyHeader({0, dimension_})));
    }
    ++count_;
    return file_.Write(
        {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
  }

  absl::Status Close() {
    if (as_npy_ && count_ > 0) {
      VETTORE_RETURN_IF_ERROR(file_.WriteAtFront(WriteNpyHeader({count_, dimension_})));
    }
    return file_.Close();
  }

 private:
  OutputFile file_;
  const bool as_npy_;
  uint64_t count_ = 0;
  uint64_t dimension_ = 0;
};

absl::StatusOr<v1::EmbedRequest> EmptyRequest(const EmbedOptions& options) {
  v1::EmbedRequest request;
  request.set_model(options.model);
  request.set_truncation(options.no_truncation ? v1::TRUNCATION_ERROR : v1::TRUNCATION_END);
  if (options.input_type == "query") {
    request.set_input_type(v1::INPUT_TYPE_QUERY);
  } else if (options.input_type == "document") {
    request.set_input_type(v1::INPUT_TYPE_DOCUMENT);
  } else {
    return UsageError(
        StrCat("--input-type '", options.input_type, "': document or query is wanted"));
  }
  return request;
}

// The next texts; none at the end.
absl::Status TakeBatch(TextSource& source, v1::EmbedRequest& request) {
  request.clear_texts();
  size_t bytes = 0;
  while (request.texts_size() < kBatchTexts && bytes < kBatchBytes) {
    VETTORE_ASSIGN_OR_RETURN(std::optional<std::string> text, source.Next());
    if (!text) break;
    bytes += text->size();
    request.add_texts(*std::move(text));
  }
  return absl::OkStatus();
}

// Texts are told by their number, from 1: with a file, that is the line.
absl::Status EmbedAll(const GlobalOptions& globals, const Connection& connection,
                      const EmbedOptions& options, EmbeddingWriter& writer) {
  VETTORE_ASSIGN_OR_RETURN(v1::EmbedRequest request, EmptyRequest(options));
  VETTORE_ASSIGN_OR_RETURN(TextSource source, TextSource::Open(options));
  ProgressMeter meter(ChooseProgressStyle(globals.quiet || globals.json || options.output == "-"),
                      "texts", std::nullopt);
  uint64_t truncated = 0;
  while (true) {
    VETTORE_RETURN_IF_ERROR(TakeBatch(source, request));
    if (request.texts().empty()) break;
    VETTORE_ASSIGN_OR_RETURN(
        const v1::EmbedResponse response,
        connection.Call(connection.embeddings(), &v1::Embeddings::Stub::Embed, request));
    if (response.embeddings_size() != request.texts_size()) {
      return absl::InternalError(StrCat("the server answered ", response.embeddings_size(),
                                        " embeddings for ", request.texts_size(), " texts"));
    }
    uint64_t tokens = 0;
    for (int i = 0; i < request.texts_size(); ++i) {
      VETTORE_RETURN_IF_ERROR(writer.Write(request.texts(i), response.embeddings(i)));
      tokens += response.embeddings(i).tokens();
      if (!response.embeddings(i).truncated()) continue;
      constexpr uint64_t kShown = 10;
      if (++truncated > kShown) continue;
      meter.Clear();
      std::cerr << "warning: text " << meter.state().items + static_cast<uint64_t>(i) + 1 << " has "
                << response.embeddings(i).tokens()
                << " tokens, more than the model takes; only its beginning was embedded\n";
    }
    meter.Add(static_cast<uint64_t>(request.texts_size()), tokens);
    meter.Draw();
    if (InterruptScope::Happened()) return InterruptedError("interrupted");
  }
  meter.Finish();
  if (options.output != "-") {
    Notice(globals,
           StrCat("embedded ", CountOf(meter.state().items, "text"), " (",
                  CountOf(meter.state().tokens, "token"), ") in ",
                  FormatSpan(meter.state().elapsed), "; ", FormatCount(truncated), " truncated"));
  }
  return absl::OkStatus();
}

Json ModelJson(const v1::Model& model) {
  if (!model.error().empty()) return {{"name", model.name()}, {"error", model.error()}};
  return {{"name", model.name()},
          {"dimension", model.dimension()},
          {"max_tokens", model.max_tokens()},
          {"pooling", model.pooling()},
          {"normalized", model.normalized()},
          {"query_prompt", model.query_prompt()},
          {"document_prompt", model.document_prompt()},
          {"fingerprint", model.fingerprint()},
          {"parameters", model.parameters()}};
}

absl::Status ListModels(const GlobalOptions& globals, const Connection& connection) {
  VETTORE_ASSIGN_OR_RETURN(
      const v1::ListModelsResponse response,
      connection.Call(connection.embeddings(), &v1::Embeddings::Stub::ListModels,
                      v1::ListModelsRequest()));
  Json models = Json::array();
  std::vector<std::vector<std::string>> rows = {
      {"MODEL", "DIMENSION", "MAX TOKENS", "POOLING", "PARAMETERS"}};
  for (const v1::Model& model : response.models()) {
    models.push_back(ModelJson(model));
    if (model.error().empty()) {
      rows.push_back({model.name(), StrCat(model.dimension()), FormatCount(model.max_tokens()),
                      model.pooling(), FormatCount(model.parameters())});
    } else if (!globals.json) {
      std::cerr << "warning: " << model.name() << " cannot be loaded: " << model.error() << "\n";
    }
  }
  if (globals.json) {
    PrintJson({{"models", std::move(models)}});
  } else if (rows.size() == 1) {
    Notice(globals, "no models; vettore serve --models-dir names the folder that holds them");
  } else {
    std::cout << FormatTable(
        rows, {Align::kLeft, Align::kRight, Align::kRight, Align::kLeft, Align::kRight});
  }
  return absl::OkStatus();
}

absl::Status RunEmbed(const GlobalOptions& globals, EmbedOptions options) {
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  if (options.list_models) return ListModels(globals, connection);
  if (options.texts == std::vector<std::string>{"-"}) {
    options.texts.clear();
    options.file = "-";
  }
  if (options.texts.empty() == options.file.empty()) {
    return UsageError("texts or --file are wanted; - reads standard input, a text a line");
  }
  const bool as_npy = absl::EndsWithIgnoreCase(options.output, ".npy");
  VETTORE_ASSIGN_OR_RETURN(OutputFile file, OutputFile::Create(options.output));
  EmbeddingWriter writer(std::move(file), as_npy);
  const InterruptScope interrupts;
  VETTORE_RETURN_IF_ERROR(EmbedAll(globals, connection, options, writer));
  return writer.Close();
}

}  // namespace

void AddEmbedCommand(CommandLine& line) {
  CLI::App* command = line.Add(
      line.app(),
      {.name = "embed",
       .summary = "Turn texts into vectors, or list the models",
       .text = "Embeds texts with a model of the server and writes a JSON line for each, with "
               "its tokens and whether it was truncated, or, to a file that ends in .npy, a "
               "matrix of f32. A text that is longer than the model takes is embedded from its "
               "beginning, with a warning, or refused with --no-truncation.",
       .examples = "  vettore embed \"a text\" \"another one\"\n"
                   "  vettore embed --input-type query \"what is a vector?\"\n"
                   "  vettore embed --file lines.txt --output lines.npy\n"
                   "  cut -f2 table.tsv | vettore embed -\n"
                   "  vettore embed --models\n"});
  const auto options = std::make_shared<EmbedOptions>();
  command->add_option("texts", options->texts, "The texts; - reads one a line from standard input");
  command->add_option("--file", options->file, "A file with one text a line")->type_name("FILE");
  command->add_option("--model", options->model, "The model's name; default: the server's only one")
      ->type_name("NAME");
  command
      ->add_option("--input-type", options->input_type,
                   "document or query: some models have a prompt for each")
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "A file, .npy or JSON Lines")
      ->type_name("FILE");
  command->add_flag("--no-truncation", options->no_truncation,
                    "Refuse texts that are longer than the model takes");
  command->add_flag("--models", options->list_models, "List the server's models");
  line.Run(command,
           [options](const GlobalOptions& globals) { return RunEmbed(globals, *options); });
}

}  // namespace vettore
