// `vettore collection create|list|info|delete|alias`.
#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/collection_options.h"
#include "cli/collection_view.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/terminal.h"
#include "google/protobuf/util/json_util.h"

namespace vettore {
namespace {

struct CreateOptions {
  std::string name;
  CollectionOptions collection;
  uint32_t dimension = 0;
  std::string vector_name;
  std::string text_field;
  std::string config_file;
};

absl::StatusOr<v1::CollectionConfig> ReadConfigFile(const std::string& path) {
  constexpr size_t kMaxBytes = 1 << 20;
  VETTORE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxBytes));
  v1::CollectionConfig config;
  const auto parsed = google::protobuf::util::JsonStringToMessage(text, &config);
  if (!parsed.ok()) {
    return UsageError(StrCat(path,
                             ": not the JSON of a CollectionConfig, as `vettore collection "
                             "info NAME --json` prints it under \"config\": ",
                             parsed.ToString()));
  }
  return config;
}

// Points with a vector that the user brings, or that a model makes from a field of the payload.
absl::StatusOr<v1::CollectionConfig> PointCollectionConfig(const CreateOptions& options) {
  if (options.collection.chunk_tokens || options.collection.overlap_tokens) {
    return UsageError(
        "--chunk-tokens and --overlap-tokens are for collections of documents, without "
        "--dimension and --text-field");
  }
  v1::CollectionConfig config;
  v1::VectorConfig& vector = *config.add_vectors();
  vector.set_name(options.vector_name);
  vector.set_dimension(options.dimension);
  VETTORE_RETURN_IF_ERROR(options.collection.Describe(vector));
  VETTORE_RETURN_IF_ERROR(options.collection.DescribePayloadIndexes(config));
  if (options.text_field.empty()) {
    if (options.collection.model.empty()) return config;
    return UsageError("--model with --dimension needs --text-field, the field that is embedded");
  }
  if (options.collection.model.empty()) return UsageError("--text-field needs --model");
  vector.mutable_model()->set_name(options.collection.model);
  vector.mutable_model()->set_text_field(options.text_field);
  return config;
}

absl::Status RunCreate(const GlobalOptions& globals, const CreateOptions& options) {
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  v1::CreateCollectionRequest request;
  request.set_name(options.name);
  if (!options.config_file.empty()) {
    VETTORE_ASSIGN_OR_RETURN(*request.mutable_config(), ReadConfigFile(options.config_file));
  } else if (options.dimension > 0 || !options.text_field.empty()) {
    VETTORE_ASSIGN_OR_RETURN(*request.mutable_config(), PointCollectionConfig(options));
  } else {
    VETTORE_ASSIGN_OR_RETURN(*request.mutable_config(),
                             DocumentCollectionConfig(connection, options.collection));
  }
  VETTORE_ASSIGN_OR_RETURN(
      const v1::CreateCollectionResponse response,
      connection.Call(connection.collections(), &v1::Collections::Stub::CreateCollection, request));
  if (globals.json) {
    PrintJson(CollectionJson(response.collection()));
  } else {
    std::cout << DescribeCollection(response.collection());
  }
  return absl::OkStatus();
}

absl::Status RunList(const GlobalOptions& globals) {
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  VETTORE_ASSIGN_OR_RETURN(
      const v1::ListCollectionsResponse response,
      connection.Call(connection.collections(), &v1::Collections::Stub::ListCollections,
                      v1::ListCollectionsRequest()));
  if (globals.json) {
    Json list = Json::array();
    for (const v1::CollectionInfo& info : response.collections()) {
      list.push_back(CollectionJson(info));
    }
    PrintJson({{"collections", std::move(list)}});
  } else if (response.collections().empty()) {
    Notice(globals, "no collections yet; vettore ingest FOLDER makes one");
  } else {
    std::cout << CollectionTable({response.collections().begin(), response.collections().end()});
  }
  return absl::OkStatus();
}

absl::Status RunInfo(const GlobalOptions& globals, const std::string& name) {
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  v1::GetCollectionRequest request;
  request.set_name(name);
  VETTORE_ASSIGN_OR_RETURN(
      const v1::GetCollectionResponse response,
      connection.Call(connection.collections(), &v1::Collections::Stub::GetCollection, request));
  if (globals.json) {
    PrintJson(CollectionJson(response.collection()));
  } else {
    std::cout << DescribeCollection(response.collection());
  }
  return absl::OkStatus();
}

absl::Status ConfirmDeletion(const v1::CollectionInfo& info) {
  if (::isatty(STDIN_FILENO) != 1) {
    return UsageError("standard input is no terminal: confirm the deletion with --yes");
  }
  std::cerr << DeletionQuestion(info) << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return absl::OkStatus();
  return InterruptedError("nothing was deleted");
}

absl::Status RunDelete(const GlobalOptions& globals, const std::string& name, bool confirmed) {
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  if (!confirmed) {
    v1::GetCollectionRequest request;
    request.set_name(name);
    VETTORE_ASSIGN_OR_RETURN(
        const v1::GetCollectionResponse found,
        connection.Call(connection.collections(), &v1::Collections::Stub::GetCollection, request));
    VETTORE_RETURN_IF_ERROR(ConfirmDeletion(found.collection()));
  }
  v1::DeleteCollectionRequest request;
  request.set_name(name);
  const auto response =
      connection.Call(connection.collections(), &v1::Collections::Stub::DeleteCollection, request);
  if (!response.ok()) return response.status();
  if (globals.json) {
    PrintJson({{"deleted", name}});
  } else {
    Notice(globals, StrCat("deleted '", name, "'"));
  }
  return absl::OkStatus();
}

absl::Status RunSetAlias(const GlobalOptions& globals, const v1::SetAliasRequest& request) {
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  const auto response =
      connection.Call(connection.collections(), &v1::Collections::Stub::SetAlias, request);
  if (!response.ok()) return response.status();
  if (globals.json) {
    PrintJson({{"alias", request.alias()}, {"collection", request.collection()}});
  } else {
    Notice(globals, StrCat("'", request.alias(), "' is now '", request.collection(), "'"));
  }
  return absl::OkStatus();
}

absl::Status RunDeleteAlias(const GlobalOptions& globals, const std::string& alias) {
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  v1::DeleteAliasRequest request;
  request.set_alias(alias);
  const auto response =
      connection.Call(connection.collections(), &v1::Collections::Stub::DeleteAlias, request);
  if (!response.ok()) return response.status();
  if (globals.json) {
    PrintJson({{"deleted", alias}});
  } else {
    Notice(globals, StrCat("deleted alias '", alias, "'"));
  }
  return absl::OkStatus();
}

absl::Status RunListAliases(const GlobalOptions& globals) {
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  VETTORE_ASSIGN_OR_RETURN(
      const v1::ListAliasesResponse response,
      connection.Call(connection.collections(), &v1::Collections::Stub::ListAliases,
                      v1::ListAliasesRequest()));
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"ALIAS", "COLLECTION"}};
  for (const v1::Alias& alias : response.aliases()) {
    list.push_back({{"alias", alias.alias()}, {"collection", alias.collection()}});
    rows.push_back({alias.alias(), alias.collection()});
  }
  if (globals.json) {
    PrintJson({{"aliases", std::move(list)}});
  } else if (rows.size() == 1) {
    Notice(globals, "no aliases");
  } else {
    std::cout << FormatTable(rows, {Align::kLeft, Align::kLeft});
  }
  return absl::OkStatus();
}

void AddCreate(CommandLine& line, CLI::App& group) {
  CLI::App* command = line.Add(
      group,
      {.name = "create",
       .summary = "Make a collection",
       .text = "Makes a collection of documents (the default: text goes in, a model of the server "
               "embeds its passages), of points with your own vectors (--dimension), of points "
               "whose text a model embeds (--text-field), or whatever a JSON file describes "
               "(--config).",
       .examples = "  vettore collection create notes\n"
                   "  vettore collection create notes --model all-MiniLM-L6-v2 --chunk-tokens 128\n"
                   "  vettore collection create images --dimension 512 --metric l2\n"
                   "  vettore collection create items --model all-MiniLM-L6-v2 --text-field name\n"
                   "  vettore collection create copy --config config.json\n"});
  const auto options = std::make_shared<CreateOptions>();
  command->add_option("name", options->name, "1 to 64 letters, digits, '_', '.', '-'")->required();
  command->add_option("--dimension", options->dimension, "Numbers of a vector that you bring")
      ->check(CLI::Range(1, 65'536).description(""));
  command->add_option("--vector-name", options->vector_name, "Its name; default: none");
  command->add_option("--text-field", options->text_field,
                      "The field of a point's payload that the model embeds");
  options->collection.AddModelOption(*command);
  options->collection.AddChunkOptions(*command);
  options->collection.AddIndexOptions(*command);
  command->add_option("--config", options->config_file, "The whole config as JSON")
      ->type_name("FILE");
  line.Run(command,
           [options](const GlobalOptions& globals) { return RunCreate(globals, *options); });
}

void AddDelete(CommandLine& line, CLI::App& group) {
  CLI::App* command =
      line.Add(group, {.name = "delete",
                       .summary = "Delete a collection and its points",
                       .text = "Deletes a collection, its points and its aliases. There is no way "
                               "back. Asks first, unless --yes is given.",
                       .examples = "  vettore collection delete notes\n"
                                   "  vettore collection delete notes --yes\n"});
  const auto name = std::make_shared<std::string>();
  const auto confirmed = std::make_shared<bool>(false);
  command->add_option("name", *name, "Its name; an alias is not taken")->required();
  command->add_flag("-y,--yes", *confirmed, "Do not ask");
  line.Run(command, [name, confirmed](const GlobalOptions& globals) {
    return RunDelete(globals, *name, *confirmed);
  });
}

void AddAliasCommands(CommandLine& line, CLI::App& group) {
  CLI::App* aliases = line.Add(
      group, {.name = "alias",
              .summary = "Second names for collections",
              .text = "An alias stands for a collection wherever a name is taken. Set it on a new "
                      "collection and everybody who uses it moves over in one step.",
              .examples = "  vettore collection alias set live notes-2026\n"
                          "  vettore collection alias list\n"});
  aliases->require_subcommand(1);
  CLI::App* set = line.Add(*aliases, {.name = "set",
                                      .summary = "Point an alias at a collection",
                                      .text = "Makes the alias, or moves it in one step.",
                                      .examples = "  vettore collection alias set live notes\n"});
  const auto request = std::make_shared<v1::SetAliasRequest>();
  set->add_option_function<std::string>(
         "alias", [request](const std::string& text) { request->set_alias(text); }, "The alias")
      ->required();
  set->add_option_function<std::string>(
         "collection", [request](const std::string& text) { request->set_collection(text); },
         "The collection's name")
      ->required();
  line.Run(set, [request](const GlobalOptions& globals) { return RunSetAlias(globals, *request); });

  CLI::App* remove = line.Add(*aliases, {.name = "delete",
                                         .summary = "Delete an alias",
                                         .text = "Deletes the alias; the collection stays.",
                                         .examples = "  vettore collection alias delete live\n"});
  const auto alias = std::make_shared<std::string>();
  remove->add_option("alias", *alias, "The alias")->required();
  line.Run(remove,
           [alias](const GlobalOptions& globals) { return RunDeleteAlias(globals, *alias); });

  CLI::App* list = line.Add(*aliases, {.name = "list",
                                       .summary = "List the aliases",
                                       .text = "Lists the aliases and their collections.",
                                       .examples = "  vettore collection alias list --json\n"});
  line.Run(list, RunListAliases);
}

}  // namespace

void AddCollectionCommands(CommandLine& line) {
  CLI::App* group = line.AddGroup(
      {.name = "collection",
       .summary = "Make, list, describe and delete collections",
       .text = "A collection holds documents or points, with the model, the metric and the index "
               "they are searched with.",
       .examples = "  vettore collection create notes\n"
                   "  vettore collection list\n"
                   "  vettore collection info notes\n"
                   "  vettore collection delete notes\n"});
  AddCreate(line, *group);
  CLI::App* list = line.Add(*group, {.name = "list",
                                     .summary = "List the collections",
                                     .text = "Lists the collections by name.",
                                     .examples = "  vettore collection list\n"});
  line.Run(list, RunList);
  CLI::App* info =
      line.Add(*group, {.name = "info",
                        .summary = "Describe a collection",
                        .text = "Shows how a collection is configured and what state its indexes "
                                "are in.",
                        .examples = "  vettore collection info notes\n"
                                    "  vettore collection info notes --json\n"});
  const auto name = std::make_shared<std::string>();
  info->add_option("name", *name, "Its name or an alias")->required();
  line.Run(info, [name](const GlobalOptions& globals) { return RunInfo(globals, *name); });
  AddDelete(line, *group);
  AddAliasCommands(line, *group);
}

}  // namespace vettore
