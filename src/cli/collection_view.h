// How collections are shown, to programs and to people.
#pragma once

#include <string>
#include <vector>

#include "types/json.h"
#include "vettore/v1/collections.pb.h"

namespace vettore {

// {"name", "points", "position", "created_unix_ms", "aliases", "vectors": [state], "config": as
// --config reads it}, and "error" where the collection is damaged: then the other numbers are not
// known.
Json CollectionJson(const v1::CollectionInfo& info);

// A table with one line a collection; below it, what is wrong with those that are damaged.
std::string CollectionTable(const std::vector<v1::CollectionInfo>& collections);

// Everything about one, over several lines.
std::string DescribeCollection(const v1::CollectionInfo& info);

// What is asked before its deletion.
std::string DeletionQuestion(const v1::CollectionInfo& info);

}  // namespace vettore
