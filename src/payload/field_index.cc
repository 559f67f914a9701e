#include "payload/field_index.h"

#include <array>

#include "base/status.h"
#include "payload/bool_index.h"
#include "payload/float_index.h"
#include "payload/integer_index.h"
#include "payload/keyword_index.h"

namespace vettore {
namespace {

struct Row {
  PayloadIndexKind kind;
  std::unique_ptr<FieldIndex> (*make)();
};

template <typename Index>
std::unique_ptr<FieldIndex> Make() {
  return std::make_unique<Index>();
}

// The registry: a new kind is its file and a row here.
constexpr std::array kRows = {
    Row{PayloadIndexKind::kKeyword, Make<KeywordIndex>},
    Row{PayloadIndexKind::kInteger, Make<IntegerIndex>},
    Row{PayloadIndexKind::kFloat, Make<FloatIndex>},
    Row{PayloadIndexKind::kBool, Make<BoolIndex>},
};

}  // namespace

std::unique_ptr<FieldIndex> MakeFieldIndex(PayloadIndexKind kind) {
  for (const Row& row : kRows) {
    if (row.kind == kind) return row.make();
  }
  VETTORE_CHECK(!"a payload index kind without a row in the registry");
  return nullptr;
}

}  // namespace vettore
