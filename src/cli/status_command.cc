// `vettore status`.
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/collection_view.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/terminal.h"

namespace vettore {
namespace {

Json StatusJson(const v1::GetStatusResponse& status) {
  return {{"version", status.version()},
          {"uptime_s", status.uptime_s()},
          {"instruction_set", status.instruction_set()},
          {"threads", status.threads()},
          {"points", status.points()},
          {"disk_bytes", status.disk_bytes()},
          {"memory_bytes", status.memory_bytes()},
          {"resident_bytes", status.resident_bytes()},
          {"embedded_texts", status.embedded_texts()},
          {"embedded_tokens", status.embedded_tokens()},
          {"models", status.models()}};
}

void PrintStatus(const v1::GetStatusResponse& status, const std::string& server) {
  const std::vector<std::vector<std::string>> rows = {
      {"server", StrCat(server, ", vettore ", status.version(), ", up ",
                        FormatSpan(absl::Seconds(status.uptime_s())))},
      {"machine", StrCat(status.threads(), " threads, ", status.instruction_set(), " kernels")},
      {"points", StrCat(FormatCount(status.points()), " in ", status.collections(),
                        status.collections() == 1 ? " collection" : " collections")},
      {"disk", FormatBytes(status.disk_bytes())},
      {"memory", StrCat(FormatBytes(status.memory_bytes()), " of caches and indexes, ",
                        FormatBytes(status.resident_bytes()), " resident")},
      {"embedded", StrCat(FormatCount(status.embedded_texts()), " texts, ",
                          FormatCount(status.embedded_tokens()), " tokens since the start")},
      {"models", status.models().empty() ? "none" : absl::StrJoin(status.models(), ", ")},
  };
  std::cout << FormatTable(rows, {Align::kLeft, Align::kLeft});
}

absl::Status RunStatus(const GlobalOptions& globals) {
  VETTORE_ASSIGN_OR_RETURN(const Connection connection, Connection::Open(globals));
  VETTORE_ASSIGN_OR_RETURN(
      const v1::GetStatusResponse status,
      connection.Call(connection.admin(), &v1::Admin::Stub::GetStatus, v1::GetStatusRequest()));
  VETTORE_ASSIGN_OR_RETURN(
      const v1::ListCollectionsResponse listed,
      connection.Call(connection.collections(), &v1::Collections::Stub::ListCollections,
                      v1::ListCollectionsRequest()));
  if (globals.json) {
    Json json = StatusJson(status);
    json["collections"] = Json::array();
    for (const v1::CollectionInfo& info : listed.collections()) {
      json["collections"].push_back(CollectionJson(info));
    }
    PrintJson(json);
    return absl::OkStatus();
  }
  PrintStatus(status, globals.server);
  if (!listed.collections().empty()) {
    std::cout << "\n"
              << CollectionTable({listed.collections().begin(), listed.collections().end()});
  }
  return absl::OkStatus();
}

}  // namespace

void AddStatusCommand(CommandLine& line) {
  CLI::App* command =
      line.Add(line.app(), {.name = "status",
                            .summary = "Show how the server is",
                            .text = "Shows the server's version, memory, disk, models and "
                                    "collections.",
                            .examples = "  vettore status\n"
                                        "  vettore status --server unix:/run/vettore.sock\n"
                                        "  vettore status --json\n"});
  line.Run(command, RunStatus);
}

}  // namespace vettore
