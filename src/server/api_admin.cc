// How the server is.
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/file.h"
#include "server/api.h"
#include "server/version.h"

namespace vettore {
namespace {

// The resident set size of this process, or 0 where /proc does not tell.
uint64_t ResidentBytes() {
  const absl::StatusOr<std::string> statm = ReadFile("/proc/self/statm", 4096);
  if (!statm.ok()) return 0;
  const std::vector<std::string> fields = absl::StrSplit(*statm, ' ');
  uint64_t pages = 0;
  if (fields.size() < 2 || !absl::SimpleAtoi(fields[1], &pages)) return 0;
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

Api::Reply<v1::GetStatusResponse> Api::GetStatus(const v1::GetStatusRequest&, const Context&) {
  const DatabaseStatus database = database_.Status();
  v1::GetStatusResponse response;
  response.set_version(std::string(Version()));
  response.set_uptime_s(absl::ToDoubleSeconds(absl::Now() - options_.started));
  response.set_instruction_set(database.instruction_set);
  response.set_threads(options_.threads);
  response.set_collections(database.collections);
  response.set_points(database.points);
  response.set_disk_bytes(database.disk_bytes);
  response.set_memory_bytes(database.memory_bytes);
  response.set_resident_bytes(ResidentBytes());
  const EmbedCounters embedded = models_.counters();
  response.set_embedded_texts(embedded.texts);
  response.set_embedded_tokens(embedded.tokens);
  for (const std::string& name : models_.List()) response.add_models(name);
  return response;
}

}  // namespace vettore
