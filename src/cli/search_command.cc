// `vettore search`: a question, or a vector, to a collection.
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/collection_options.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/filter_expression.h"
#include "cli/format/blank.h"
#include "cli/format/json_record.h"
#include "cli/format/vector_rows.h"
#include "cli/search_view.h"
#include "cli/terminal.h"
#include "types/limits.h"

namespace vettore {
namespace {

struct SearchOptions {
  std::vector<std::string> words;
  std::string collection = "documents";
  uint64_t k = 5;
  uint64_t offset = 0;
  std::vector<std::string> filters;
  std::optional<float> score_threshold;
  std::optional<uint32_t> ef_search;
  std::optional<uint32_t> nprobe;
  bool exact = false;
  bool explain = false;
  std::string vector;
  std::string vector_file;
  uint64_t row = 0;
  std::string vector_name;
  bool with_vectors = false;
};

absl::StatusOr<std::vector<float>> VectorFromText(const std::string& text) {
  const absl::StatusOr<Json> parsed = ParseJson(text, 2);
  const absl::Status wanted = UsageError(
      "--vector: a JSON array of numbers is wanted, such as "
      "'[0.1, 0.2]'");
  if (!parsed.ok() || !parsed->is_array()) return wanted;
  std::vector<float> vector;
  for (const Json& value : *parsed) {
    if (!value.is_number()) return wanted;
    vector.push_back(value.get<float>());
  }
  return vector;
}

absl::StatusOr<std::vector<float>> VectorFromFile(const std::string& path, uint64_t row) {
  const std::optional<VectorFormat> format = VectorFormatOf(path);
  if (!format)
    return UsageError(StrCat("--vector-file '", path, "': .npy, .fvecs or .bvecs is wanted"));
  VETTORE_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  VETTORE_ASSIGN_OR_RETURN(const std::unique_ptr<VectorRows> rows,
                           OpenVectorRows(std::move(file), *format, OneDimensional::kOneRow));
  std::vector<float> vector;
  for (uint64_t at = 0; at <= row; ++at) {
    VETTORE_ASSIGN_OR_RETURN(const bool read, rows->Next(vector));
    if (!read) {
      return absl::OutOfRangeError(StrCat(path, ": there is no row ", row, ", it has ", at));
    }
  }
  return vector;
}

// All filters together, or nothing.
absl::StatusOr<std::optional<v1::Filter>> FilterOf(const SearchOptions& options) {
  if (options.filters.empty()) return std::nullopt;
  v1::Filter all;
  for (const std::string& text : options.filters) {
    VETTORE_ASSIGN_OR_RETURN(*all.mutable_all()->add_filters(), ParseFilterExpression(text));
  }
  if (all.all().filters_size() > 1) return all;
  v1::Filter only = all.all().filters(0);
  return only;
}

// What the requests for passages and for points have in common.
template <typename Request>
absl::Status Fill(const SearchOptions& options, Request& request) {
  request.set_collection(options.collection);
  request.set_k(options.k);
  request.set_offset(options.offset);
  request.set_exact(options.exact);
  if (options.score_threshold) request.set_score_threshold(*options.score_threshold);
  if (options.ef_search) request.set_ef_search(*options.ef_search);
  if (options.nprobe) request.set_nprobe(*options.nprobe);
  VETTORE_ASSIGN_OR_RETURN(std::optional<v1::Filter> filter, FilterOf(options));
  if (filter) *request.mutable_filter() = *std::move(filter);
  return absl::OkStatus();
}

void PrintTrace(const GlobalOptions& globals, const SearchOptions& options,
                const v1::SearchTrace& trace, absl::Duration round_trip) {
  if (globals.json) return;  // It is in the trace.
  if (trace.query_truncated()) {
    std::cerr << "warning: the question is longer than the model takes; only its beginning was "
                 "searched\n";
  }
  if (options.explain) std::cout << "\n" << DescribeTrace(trace, round_trip);
}

absl::Status SearchPassages(const GlobalOptions& globals, const Connection& connection,
                            const SearchOptions& options) {
  v1::SearchPassagesRequest request;
  request.set_text(absl::StrJoin(options.words, " "));
  VETTORE_RETURN_IF_ERROR(Fill(options, request));
  const absl::Time start = absl::Now();
  VETTORE_ASSIGN_OR_RETURN(
      const v1::SearchPassagesResponse response,
      connection.Call(connection.documents(), &v1::Documents::Stub::SearchPassages, request));
  const absl::Duration round_trip = absl::Now() - start;
  if (globals.json) {
    Json passages = Json::array();
    for (const v1::Passage& passage : response.passages()) passages.push_back(PassageJson(passage));
    PrintJson({{"collection", options.collection},
               {"passages", std::move(passages)},
               {"trace", TraceJson(response.trace())}});
  } else {
    size_t rank = options.offset;
    for (const v1::Passage& passage : response.passages()) {
      if (rank > options.offset) std::cout << "\n";
      std::cout << DescribePassage(passage, ++rank, TerminalWidth());
    }
    if (response.passages().empty()) Notice(globals, "no passages match");
  }
  PrintTrace(globals, options, response.trace(), round_trip);
  return absl::OkStatus();
}

absl::StatusOr<v1::SearchRequest> PointRequest(const SearchOptions& options) {
  v1::SearchRequest request;
  VETTORE_RETURN_IF_ERROR(Fill(options, request));
  request.set_vector_name(options.vector_name);
  request.mutable_selection()->set_payload(true);
  request.mutable_selection()->set_vectors(options.with_vectors);
  if (!options.words.empty()) {
    request.set_text(absl::StrJoin(options.words, " "));
    return request;
  }
  std::vector<float> vector;
  if (options.vector.empty()) {
    VETTORE_ASSIGN_OR_RETURN(vector, VectorFromFile(options.vector_file, options.row));
  } else {
    VETTORE_ASSIGN_OR_RETURN(vector, VectorFromText(options.vector));
  }
  request.mutable_vector()->mutable_values()->Add(vector.begin(), vector.end());
  return request;
}

absl::Status SearchPoints(const GlobalOptions& globals, const Connection& connection,
                          const SearchOptions& options) {
  VETTORE_ASSIGN_OR_RETURN(const v1::SearchRequest request, PointRequest(options));
  const absl::Time start = absl::Now();
  VETTORE_ASSIGN_OR_RETURN(
      const v1::SearchResponse response,
      connection.Call(connection.search(), &v1::Search::Stub::Search, request));
  const absl::Duration round_trip = absl::Now() - start;
  if (globals.json) {
    Json points = Json::array();
    for (const v1::ScoredPoint& point : response.points()) {
      VETTORE_ASSIGN_OR_RETURN(Json json, ScoredPointJson(point));
      points.push_back(std::move(json));
    }
    PrintJson({{"collection", options.collection},
               {"points", std::move(points)},
               {"trace", TraceJson(response.trace())}});
  } else {
    size_t rank = options.offset;
    for (const v1::ScoredPoint& point : response.points()) {
      std::cout << DescribePoint(point, ++rank, TerminalWidth());
    }
    if (response.points().empty()) Notice(globals, "no points match");
  }
  PrintTrace(globals, options, response.trace(), round_trip);
  return absl::OkStatus();
}

absl::Status RunSearch(const GlobalOptions& globals, const SearchOptions& options) {
  const int queries = (options.words.empty() ? 0 : 1) + (options.vector.empty() ? 0 : 1) +
                      (options.vector_file.empty() ? 0 : 1);
  if (queries != 1) {
    return UsageError(
        "one of a question, --vector and --vector-file is wanted; vettore search "
        "--help shows examples");
  }
  // Checked here too: it would be a pity to learn of a typing error only from a running server.
  VETTORE_RETURN_IF_ERROR(FilterOf(options).status());
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  if (options.words.empty()) return SearchPoints(globals, connection, options);
  VETTORE_ASSIGN_OR_RETURN(const std::optional<v1::CollectionInfo> found,
                           FindCollection(connection, options.collection));
  if (!found) {
    return absl::NotFoundError(
        StrCat("there is no collection '", options.collection,
               "'; vettore collection list shows what there is, vettore ingest FOLDER -c ",
               options.collection, " makes it"));
  }
  const bool passages =
      found->config().has_documents() && options.vector_name.empty() && !options.with_vectors;
  return passages ? SearchPassages(globals, connection, options)
                  : SearchPoints(globals, connection, options);
}

void AddSearchOptions(CLI::App& command, SearchOptions& options) {
  command.add_option("question", options.words, "The question; several words need no quotes");
  command.add_option("-c,--collection", options.collection, "The collection or an alias")
      ->capture_default_str()
      ->type_name("NAME");
  command.add_option("-k", options.k, "How many results")->capture_default_str();
  command.add_option("--offset", options.offset, "Best results to leave out");
  command
      .add_option("-f,--filter", options.filters,
                  "Only what matches, see above; repeatable, all must hold")
      ->type_name("EXPRESSION")
      ->allow_extra_args(false);
  command.add_option("--score-threshold", options.score_threshold,
                     "Only results whose score is no worse");
  command.add_flag("--exact", options.exact,
                   "Compare with every vector instead of using the index");
  command.add_option("--ef", options.ef_search,
                     "Candidates that a graph index keeps, 1 to 4096: more finds more, slower");
  command.add_option("--nprobe", options.nprobe,
                     "Lists that an IVF index scans, 1 to 65536: more finds more, slower");
  command.add_flag("--explain", options.explain, "Show how it was found and where the time went");
  command.add_option("--vector", options.vector, "Search with this vector, a JSON array")
      ->type_name("ARRAY");
  command
      .add_option("--vector-file", options.vector_file,
                  "Search with a row of a .npy, .fvecs or .bvecs file")
      ->type_name("FILE");
  command.add_option("--row", options.row, "The row of --vector-file, from 0");
  command.add_option("--vector-name", options.vector_name,
                     "The vector to search on; default: the unnamed one");
  command.add_flag("--with-vectors", options.with_vectors, "Show points with their vectors");
}

}  // namespace

void AddSearchCommand(CommandLine& line) {
  CLI::App* command = line.Add(
      line.app(),
      {.name = "search",
       .summary = "Ask a collection a question",
       .text =
           "Finds the passages of a collection of documents, or the points of another collection, "
           "that are nearest to a question or a vector, the best first.\n\n"
           "Filters: field = value, !=, <, <=, >, >=, field in (a, b), field exists, joined with "
           "and, or, not and parentheses. Values are numbers, true, false, words or quoted "
           "texts. A document's own fields stand under metadata: metadata.year. A filter that "
           "opens with '{' is a Filter of the API as JSON.",
       .examples =
           "  vettore search \"how do I undo a commit?\"\n"
           "  vettore search wing flutter -c papers -k 10 --explain\n"
           "  vettore search robots -f 'metadata.year >= 1960 and not metadata.lang = it'\n"
           "  vettore search -c images --vector-file query.npy --exact\n"
           "  vettore search -c images --vector '[0.1, 0.2, 0.3]' -f 'tags in (cat, dog)'\n"});
  const auto options = std::make_shared<SearchOptions>();
  AddSearchOptions(*command, *options);
  line.Run(command,
           [options](const GlobalOptions& globals) { return RunSearch(globals, *options); });
}

}  // namespace vettore
