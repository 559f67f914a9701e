// The default model, for tests that are worth nothing without real weights.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace vettore {

inline constexpr char kRealModel[] = "all-MiniLM-L6-v2";

// Where scripts/fetch-model puts models: VETTORE_MODELS_DIR, or ~/.local/share/vettore/models.
inline std::filesystem::path RealModelsDirectory() {
  if (const char* set = std::getenv("VETTORE_MODELS_DIR")) return set;
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "" : home) / ".local/share/vettore/models";
}

inline bool HasRealModel() {
  return std::filesystem::exists(RealModelsDirectory() / kRealModel / "config.json");
}

}  // namespace vettore

// Opens a test, or its fixture, that needs the model.
#define VETTORE_SKIP_WITHOUT_MODEL()                                                             \
  if (!::vettore::HasRealModel()) {                                                              \
    GTEST_SKIP() << "no " << ::vettore::kRealModel << " in " << ::vettore::RealModelsDirectory() \
                 << ": run scripts/fetch-model, or set VETTORE_MODELS_DIR";                      \
  }                                                                                              \
  static_assert(true)
