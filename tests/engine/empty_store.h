// A store that holds nothing and takes everything, for tests that replace what matters to them.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/store.h"

namespace vettore {

class EmptyStore : public Store {
 public:
  absl::StatusOr<std::optional<std::string>> GetMeta(std::string_view) const override {
    return std::nullopt;
  }
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ListMeta(
      std::string_view) const override {
    return std::vector<std::pair<std::string, std::string>>();
  }
  absl::Status ChangeMeta(std::span<const MetaChange>) override { return absl::OkStatus(); }

  std::unique_ptr<ShardBatch> NewBatch(ShardKey) override { return std::make_unique<Batch>(); }
  absl::Status Commit(std::vector<std::unique_ptr<ShardBatch>>, Durability) override {
    return absl::OkStatus();
  }
  absl::Status DropShard(ShardKey) override { return absl::OkStatus(); }
  // In memory.
  absl::StatusOr<std::filesystem::path> IndexFolder(ShardKey, VectorOrdinal) override {
    return std::filesystem::path();
  }

  absl::StatusOr<std::vector<std::optional<PointRecord>>> GetPoints(
      ShardKey, std::span<const Slot> slots) const override {
    return std::vector<std::optional<PointRecord>>(slots.size());
  }
  absl::StatusOr<std::vector<std::vector<float>>> GetVectors(
      ShardKey, VectorOrdinal, std::span<const Slot> slots) const override {
    return std::vector<std::vector<float>>(slots.size());
  }
  absl::Status ForEachPoint(
      ShardKey, const std::function<absl::Status(Slot, const PointRecord&)>&) const override {
    return absl::OkStatus();
  }
  absl::Status ForEachVector(
      ShardKey, VectorOrdinal,
      const std::function<absl::Status(Slot, std::span<const float>)>&) const override {
    return absl::OkStatus();
  }
  absl::Status ForEachProducer(
      ShardKey,
      const std::function<absl::Status(std::string_view, const ProducerRecord&)>&) const override {
    return absl::OkStatus();
  }
  absl::Status ForEachId(ShardKey, const PointId*,
                         const std::function<bool(const PointId&, Slot)>&) const override {
    return absl::OkStatus();
  }
  absl::StatusOr<Position> AppliedPosition(ShardKey) const override { return Position(); }
  absl::Status ForEachOps(
      ShardKey, Position,
      const std::function<absl::Status(Position, std::span<const Op>)>&) const override {
    return absl::OkStatus();
  }
  std::filesystem::path IndexFolderPath(ShardKey, VectorOrdinal) const override { return {}; }
  Usage GetUsage() const override { return {}; }

 private:
  class Batch : public ShardBatch {
   public:
    void PutPoint(Slot, const PointRecord&) override {}
    void PutVector(Slot, VectorOrdinal, std::span<const float>) override {}
    void DeleteVector(Slot, VectorOrdinal) override {}
    void DeletePoint(Slot, const PointId&) override {}
    void PutProducer(std::string_view, const ProducerRecord&) override {}
    void DeleteProducer(std::string_view) override {}
    void AppendOps(Position, std::span<const Op>) override {}
  };
};

}  // namespace vettore
