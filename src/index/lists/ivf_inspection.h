// Looking for what must not be in the lists of an IVF index.
#pragma once

#include <span>

#include "index/index_report.h"
#include "index/lists/ivf_roster.h"
#include "index/rows/row_store.h"
#include "types/collection_config.h"

namespace vettore {

// Names all that is wrong with a partition of the rows that have these stamps. Living rows that are
// in no list wait to be, which is no fault.
void InspectPartition(const IvfPartition& partition, const IvfConfig& config,
                      std::span<const RowStore::Stamp> stamps, IndexReport& report);

}  // namespace vettore
