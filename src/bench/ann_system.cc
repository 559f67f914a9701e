#include "bench/ann_system.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace vettore::bench {
namespace {

constexpr std::string_view kFaissPrefix = "faiss:";

std::vector<AnnSystem> Graphs(const AnnOptions& options) {
  std::vector<AnnSystem> systems;
  for (const Quantization quantization : options.quantizations) {
    AnnSystem system{
        .name = "vettore-hnsw",
        .config = HnswConfig{.m = options.m,
                             .ef_construction = options.ef_construction,
                             .quantization = quantization},
        .sweep = AnnSystem::Sweep::kEfSearch,
        .parameters = {{"m", options.m}, {"ef_construction", options.ef_construction}}};
    if (quantization != Quantization::kAuto) StrAppend(&system.name, "-", NameOf(quantization));
    systems.push_back(std::move(system));
  }
  return systems;
}

std::vector<AnnSystem> Lists(const AnnOptions& options) {
  std::vector<AnnSystem> systems;
  for (const IvfEncoding encoding : options.ivf_encodings) {
    systems.push_back({.name = StrCat("vettore-ivf-", NameOf(encoding)),
                       .config = IvfConfig{.nlist = options.nlist, .encoding = encoding},
                       .sweep = AnnSystem::Sweep::kNprobe,
                       .parameters = {{"nlist", options.nlist}}});
  }
  return systems;
}

// FAISS's searches take one of the two; a graph over centroids does not count.
AnnSystem OfFaiss(std::string_view factory) {
  AnnSystem system{.name = StrCat("vettore-faiss-", factory),
                   .config = FaissConfig{.factory = std::string(factory)},
                   .sweep = AnnSystem::Sweep::kNothing};
  if (factory.find("IVF") != std::string_view::npos) {
    system.sweep = AnnSystem::Sweep::kNprobe;
  } else if (factory.find("HNSW") != std::string_view::npos) {
    system.sweep = AnnSystem::Sweep::kEfSearch;
  }
  return system;
}

}  // namespace

std::string_view AnnSystem::swept() const {
  switch (sweep) {
    case Sweep::kNothing:
      return "";
    case Sweep::kEfSearch:
      return "ef_search";
    case Sweep::kNprobe:
      return "nprobe";
  }
  return "";
}

std::vector<uint32_t> AnnSystem::Settings(const AnnOptions& options) const {
  if (sweep == Sweep::kNothing) return {0};
  if (sweep == Sweep::kEfSearch) return options.ef_search;
  const auto* const ivf = std::get_if<IvfConfig>(&config);
  const uint32_t most = ivf == nullptr || ivf->nlist == 0 ? ~uint32_t{0} : ivf->nlist;
  std::vector<uint32_t> settings;
  for (const uint32_t nprobe : options.nprobe) {
    if (nprobe <= most) settings.push_back(nprobe);
  }
  if (settings.empty()) settings.push_back(most);
  return settings;
}

void AnnSystem::Set(uint32_t setting, IndexSearchOptions& search) const {
  if (sweep == Sweep::kEfSearch) search.ef_search = setting;
  if (sweep == Sweep::kNprobe) search.nprobe = setting;
}

absl::StatusOr<std::vector<AnnSystem>> AnnSystemsOf(std::string_view kind,
                                                    const AnnOptions& options) {
  if (kind == "hnsw") return Graphs(options);
  if (kind == "ivf") return Lists(options);
  if (kind == "flat") return std::vector{AnnSystem{.name = "vettore-flat", .config = FlatConfig{}}};
  if (kind.starts_with(kFaissPrefix) && kind.size() > kFaissPrefix.size()) {
    return std::vector{OfFaiss(kind.substr(kFaissPrefix.size()))};
  }
  return absl::InvalidArgumentError(
      StrCat("--kinds: wanted hnsw, flat, ivf or faiss:FACTORY, got '", kind, "'"));
}

}  // namespace vettore::bench
