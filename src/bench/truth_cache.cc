// A file of answers: "VETTRUTH", u64 queries, u64 k, then queries x k i32, then the XXH3-64 of all
// before as u64; little endian.
#include "bench/truth_cache.h"

#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/strings.h"

namespace vettore::bench {
namespace {

constexpr std::string_view kMagic = "VETTRUTH";
constexpr size_t kHeaderBytes = 24;

template <typename T>
std::string_view BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string NameOf(const TruthQuestion& question) {
  std::string allowed;
  if (question.allowed != nullptr) {
    question.allowed->ForEach([&](Slot slot) {
      allowed.append(reinterpret_cast<const char*>(&slot), sizeof slot);
      return true;
    });
  }
  const std::string shape = StrCat(question.base.dim, " ", vettore::NameOf(question.metric), " ",
                                   question.k, question.allowed == nullptr ? " all" : " filtered");
  const std::string_view parts[] = {shape, BytesOf(question.base.values),
                                    BytesOf(question.queries.values), allowed};
  return StrCat(Fingerprint(parts), ".truth");
}

void Append(std::string& out, uint64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::optional<Neighbors> Read(const std::filesystem::path& path, const TruthQuestion& question) {
  const size_t values = question.queries.count * question.k;
  const size_t size = kHeaderBytes + values * sizeof(int32_t) + sizeof(uint64_t);
  const auto bytes = ReadFile(path, size);
  if (!bytes.ok() || bytes->size() != size) return std::nullopt;
  const std::string_view body = std::string_view(*bytes).substr(0, size - sizeof(uint64_t));
  uint64_t checksum = 0;
  std::memcpy(&checksum, bytes->data() + body.size(), sizeof checksum);
  std::string header(kMagic);
  Append(header, question.queries.count);
  Append(header, question.k);
  if (checksum != Hash64(body) || !body.starts_with(header)) return std::nullopt;
  Neighbors truth{
      .values = std::vector<int32_t>(values), .count = question.queries.count, .dim = question.k};
  std::memcpy(truth.values.data(), body.data() + kHeaderBytes, values * sizeof(int32_t));
  return truth;
}

void Write(const std::filesystem::path& path, const Neighbors& truth) {
  std::string bytes(kMagic);
  Append(bytes, truth.count);
  Append(bytes, truth.dim);
  bytes += BytesOf(truth.values);
  Append(bytes, Hash64(bytes));
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  WriteFileAtomically(path, bytes).IgnoreError();
}

}  // namespace

std::filesystem::path DefaultTruthDirectory() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    return std::filesystem::path(cache) / "vettore/truth";
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return {};
  return std::filesystem::path(home) / ".cache/vettore/truth";
}

Neighbors CachedTruth(const TruthQuestion& question, const TruthRun& run,
                      const std::filesystem::path& directory) {
  if (directory.empty()) return ExactTruth(question, run);
  const std::filesystem::path path = directory / NameOf(question);
  if (std::optional<Neighbors> kept = Read(path, question)) return *std::move(kept);
  Neighbors truth = ExactTruth(question, run);
  Write(path, truth);
  return truth;
}

}  // namespace vettore::bench
