// Bulk writes over a stream: credits, answers, retries after a lost connection.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/connection.h"

namespace vettore {

// The two streams, which have the same shape.
struct DocumentBulk {
  using Request = v1::UpsertDocumentsRequest;
  using Response = v1::UpsertDocumentsResponse;
  using StreamRequest = v1::UpsertDocumentsStreamRequest;
  using StreamResponse = v1::UpsertDocumentsStreamResponse;
  static auto* Records(Request& request) { return request.mutable_documents(); }
  static std::string IdOf(const v1::Document& record) { return record.id(); }
  static auto Open(const Connection& connection, grpc::ClientContext& context,
                   grpc::CompletionQueue& queue, void* tag) {
    return connection.documents()->AsyncUpsertDocumentsStream(&context, &queue, tag);
  }
};
struct PointBulk {
  using Request = v1::UpsertRequest;
  using Response = v1::UpsertResponse;
  using StreamRequest = v1::UpsertStreamRequest;
  using StreamResponse = v1::UpsertStreamResponse;
  static auto* Records(Request& request) { return request.mutable_points(); }
  static std::string IdOf(const v1::Point& record) { return record.id().SerializeAsString(); }
  static auto Open(const Connection& connection, grpc::ClientContext& context,
                   grpc::CompletionQueue& queue, void* tag) {
    return connection.points()->AsyncUpsertStream(&context, &queue, tag);
  }
};

// Records on their way, and where each came from.
template <typename Bulk>
struct BulkBatch {
  typename Bulk::Request request;   // Without producer.
  std::vector<std::string> places;  // One a record, for messages: "corpus.jsonl:12".
  uint64_t consumed_bytes = 0;      // Of the input, once this batch is stored.
  uint64_t replaced = 0;  // Records of earlier batches that are not sent: this one has their ids.
};

// Where batches come from and their results go.
template <typename Bulk>
class BulkSource {
 public:
  virtual ~BulkSource() = default;
  // The next batch, not empty; nullopt at the end. An error ends the bulk write once what was sent
  // is answered.
  virtual absl::StatusOr<std::optional<BulkBatch<Bulk>>> NextBatch() = 0;
  virtual void OnStored(const BulkBatch<Bulk>& batch, const typename Bulk::Response& response) = 0;
  // The server refused one record as invalid. An error ends the bulk write.
  virtual absl::Status OnRefused(const std::string& place, const std::string& message) = 0;
  // A few times a second.
  virtual void OnTick() = 0;
  // Something that the user should know: the connection was lost, and so on.
  virtual void OnNotice(const std::string& message) = 0;
};

// Sends every batch of a source, keeping as many unanswered as the server grants. When the
// connection is lost or the server is busy, it connects again and resends what is unanswered. Each
// unanswered batch has a producer of its own (a lane), whose sequence tells the server what it has
// stored already: whether a batch is a repetition never depends on the fate of another one. A batch
// that the server refuses as invalid is halved until the record that is wrong stands alone.
//
// Of an id that comes twice, the later record stays. A batch that goes again therefore waits for
// the answers to those sent after it, loses the records whose ids they stored (one of these that is
// invalid is not reported), and goes before everything that is later. Externally synchronised.
template <typename Bulk>
class BulkStream {
 public:
  explicit BulkStream(const Connection& connection);

  // OK when every batch was answered. InterruptedError after Ctrl-C; the source's error; or what
  // ended the stream for good: the server did not come back within the connection's timeout, the
  // collection is gone, the disk is full.
  absl::Status Run(BulkSource<Bulk>& source);

 private:
  struct Pending {
    BulkBatch<Bulk> batch;
    uint64_t first_record = 0;  // Its number in the source: the order of batches.
    uint64_t batch_id = 0;
    std::optional<size_t> lane = {};
    uint64_t sequence = 0;
  };
  class Call;

  // One connection's life. OK when all is done.
  absl::Status RunConnected(BulkSource<Bulk>& source);
  // Sends a batch if one may be sent now.
  absl::Status SendNext(BulkSource<Bulk>& source, Call& call);
  absl::Status OnAnswer(BulkSource<Bulk>& source, typename Bulk::StreamResponse answer);
  absl::Status OnBatchError(BulkSource<Bulk>& source, Pending pending, const v1::BatchError& error);
  void Split(Pending pending);
  // Puts a batch where it belongs among the waiting.
  void Enqueue(Pending pending);
  // Takes records that `stored` replaced out of earlier batches; their number.
  uint64_t DropReplaced(Pending& stored);
  void AssignLane(Pending& pending);
  void FreeLane(Pending& pending);
  absl::Status WaitBeforeRetry(BulkSource<Bulk>& source, const absl::Status& lost);
  bool AllSent() const { return source_ended_ && waiting_.empty(); }

  const Connection& connection_;
  const std::string producer_;
  // By first_record; to be sent before what the source has next.
  std::map<uint64_t, Pending> waiting_;
  std::deque<Pending> unanswered_;  // In the order of sending, which is that of the source.
  struct Lane {
    uint64_t sequence = 0;
    bool busy = false;
  };
  std::vector<Lane> lanes_;
  uint64_t next_batch_id_ = 1;
  uint64_t next_record_ = 0;
  uint32_t credits_ = 0;
  bool stored_anew_ = false;  // Over this connection, something that was not stored before.
  bool source_ended_ = false;
  absl::Status source_error_;
  absl::Time last_success_;
  absl::Time not_before_ = absl::InfinitePast();  // Nothing is sent until then.
  int failures_ = 0;                              // Since the last success.
};

extern template class BulkStream<DocumentBulk>;
extern template class BulkStream<PointBulk>;

}  // namespace vettore
