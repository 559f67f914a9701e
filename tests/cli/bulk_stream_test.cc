// Bulk writes against a server that refuses, puts off and hangs up as the test says.
#include "cli/bulk_stream.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "support/temporary_directory.h"

namespace vettore {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// A point whose vector is one number; a negative one is invalid.
struct Record {
  uint64_t id = 0;
  float value = 0;
};
using Batches = std::vector<std::vector<Record>>;

// One connection: `read` batches are read before the first is answered, as a server does that is
// slower than its client; each further one once all before it are answered.
struct Script {
  int read = 1;
  int answers = 1'000;  // Then the stream ends with `end`; what was read later is dropped.
  int handles = 1'000;  // Batches that take effect, answered or not.
  std::vector<int> put_off = {};  // Batches of this connection, from 0.
  grpc::Status end = grpc::Status::OK;
};

// Keeps points as the server does: all of a batch or none, once a producer's sequence. Thread-safe.
class ScriptedServer final : public v1::Points::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::UpsertStreamResponse, v1::UpsertStreamRequest>;

  explicit ScriptedServer(std::vector<Script> scripts) : scripts_(std::move(scripts)) {}

  std::map<uint64_t, float> points() const {
    absl::MutexLock lock(&mutex_);
    return points_;
  }

  grpc::Status UpsertStream(grpc::ServerContext*, Stream* stream) override {
    absl::MutexLock lock(&mutex_);
    const Script script = connections_ < scripts_.size() ? scripts_[connections_] : Script();
    ++connections_;
    v1::UpsertStreamResponse greeting;
    greeting.set_credits(static_cast<uint32_t>(script.read));
    stream->Write(greeting);
    std::vector<v1::UpsertStreamRequest> read(static_cast<size_t>(script.read));
    for (int handled = 0;;) {
      const auto end =
          std::find_if(read.begin(), read.end(), [&](auto& next) { return !stream->Read(&next); });
      if (end == read.begin()) return grpc::Status::OK;
      for (auto at = read.begin(); at != end; ++at, ++handled) {
        if (handled == script.handles) return script.end;
        const bool put_off = std::find(script.put_off.begin(), script.put_off.end(), handled) !=
                             script.put_off.end();
        const v1::UpsertStreamResponse answer = Handle(*at, put_off);
        if (handled < script.answers) stream->Write(answer);
      }
      if (handled >= script.answers) return script.end;
      read.resize(1);
    }
  }

 private:
  v1::UpsertStreamResponse Handle(const v1::UpsertStreamRequest& request, bool put_off)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    v1::UpsertStreamResponse answer;
    answer.set_batch_id(request.batch_id());
    answer.set_credits(4);
    const auto& points = request.batch().points();
    const v1::Producer& producer = request.batch().options().producer();
    uint64_t& stored = stored_[producer.id()];
    if (put_off) {
      answer.mutable_error()->set_code(grpc::StatusCode::RESOURCE_EXHAUSTED);
    } else if (std::any_of(points.begin(), points.end(), IsInvalid)) {
      answer.mutable_error()->set_code(grpc::StatusCode::INVALID_ARGUMENT);
    } else if (producer.seq() <= stored) {
      answer.mutable_response()->set_duplicate(true);
    } else {
      stored = producer.seq();
      answer.mutable_response();
      for (const v1::Point& point : points) {
        points_[point.id().number()] = point.vectors(0).values(0);
      }
    }
    return answer;
  }
  static bool IsInvalid(const v1::Point& point) { return point.vectors(0).values(0) < 0; }

  const std::vector<Script> scripts_;
  mutable absl::Mutex mutex_;
  size_t connections_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, float> points_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, uint64_t> stored_ ABSL_GUARDED_BY(mutex_);
};

// Externally synchronised.
class Source : public BulkSource<PointBulk> {
 public:
  explicit Source(Batches batches) : batches_(std::move(batches)) {}

  absl::StatusOr<std::optional<BulkBatch<PointBulk>>> NextBatch() override {
    if (next_ == batches_.size()) return std::nullopt;
    BulkBatch<PointBulk> batch;
    for (const Record& record : batches_[next_++]) {
      v1::Point& point = *batch.request.add_points();
      point.mutable_id()->set_number(record.id);
      point.add_vectors()->add_values(record.value);
      batch.places.push_back(std::to_string(record.id));
    }
    return batch;
  }
  void OnStored(const BulkBatch<PointBulk>& batch, const v1::UpsertResponse&) override {
    stored += static_cast<uint64_t>(batch.request.points_size()) + batch.replaced;
  }
  absl::Status OnRefused(const std::string& place, const std::string&) override {
    refused.push_back(place);
    return absl::OkStatus();
  }
  void OnTick() override {}
  void OnNotice(const std::string&) override {}

  uint64_t stored = 0;
  std::vector<std::string> refused;

 private:
  const Batches batches_;
  size_t next_ = 0;
};

class BulkStreamTest : public testing::Test {
 protected:
  absl::Status Run(Source& source, std::vector<Script> scripts) {
    service_ = std::make_unique<ScriptedServer>(std::move(scripts));
    const std::string address = "unix:" + (folder_.path() / "socket").string();
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials());
    builder.RegisterService(service_.get());
    const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    const absl::StatusOr<Connection> connection =
        Connection::Open({.server = address, .timeout_seconds = 20});
    if (!connection.ok()) return connection.status();
    const absl::Status ran = BulkStream<PointBulk>(*connection).Run(source);
    server->Shutdown();
    return ran;
  }

  TemporaryDirectory folder_;
  std::unique_ptr<ScriptedServer> service_;
};

// The halves of a refused batch were sent again after the batch behind it: id 1 was old again.
TEST_F(BulkStreamTest, RefusedBatchDoesNotUndoLaterOnes) {
  Source source({{{1, 10}, {2, 10}, {3, -1}, {4, 10}}, {{1, 20}, {5, 20}}, {{6, 30}}});
  const absl::Status ran = Run(source, {{.read = 3}});
  ASSERT_TRUE(ran.ok()) << ran;
  EXPECT_THAT(service_->points(),
              ElementsAre(Pair(1, 20), Pair(2, 10), Pair(4, 10), Pair(5, 20), Pair(6, 30)));
  EXPECT_THAT(source.refused, ElementsAre("3"));
  EXPECT_EQ(source.stored, 6U);
}

// Batches put off in a row were sent again in reverse.
TEST_F(BulkStreamTest, BatchesPutOffInARowKeepTheirOrder) {
  Source source({{{1, 10}}, {{1, 20}, {2, 20}}, {{3, 30}}});
  const absl::Status ran = Run(source, {{.read = 2, .put_off = {0, 1}}});
  ASSERT_TRUE(ran.ok()) << ran;
  EXPECT_THAT(service_->points(), ElementsAre(Pair(1, 20), Pair(2, 20), Pair(3, 30)));
  EXPECT_EQ(source.stored, 4U);
}

TEST_F(BulkStreamTest, BatchWhoseRecordsAreAllReplacedIsNotSentAgain) {
  Source source({{{1, 10}, {2, 10}}, {{2, 20}, {1, 20}}, {{3, 30}}});
  const absl::Status ran = Run(source, {{.read = 2, .put_off = {0}}});
  ASSERT_TRUE(ran.ok()) << ran;
  EXPECT_THAT(service_->points(), ElementsAre(Pair(1, 20), Pair(2, 20), Pair(3, 30)));
  EXPECT_EQ(source.stored, 5U);
}

// A stream that a busy server ended was never taken up again.
TEST_F(BulkStreamTest, BusyServerThatEndsTheStreamIsTriedAgain) {
  Source source({{{1, 10}}, {{2, 20}}, {{3, 30}}, {{4, 40}}});
  const grpc::Status busy(grpc::StatusCode::RESOURCE_EXHAUSTED, "retry later");
  const absl::Status ran = Run(source, {{.answers = 0, .handles = 0, .end = busy},
                                        {.read = 2, .answers = 1, .handles = 1, .end = busy}});
  ASSERT_TRUE(ran.ok()) << ran;
  EXPECT_THAT(service_->points(), ElementsAre(Pair(1, 10), Pair(2, 20), Pair(3, 30), Pair(4, 40)));
  EXPECT_EQ(source.stored, 4U);
}

// The first batch is put off, the second stored, and the connection ends before the client knows.
TEST_F(BulkStreamTest, LostAnswersDoNotLetAnEarlierBatchUndoALaterOne) {
  Source source({{{1, 10}, {2, 10}}, {{1, 20}}});
  const grpc::Status lost(grpc::StatusCode::UNAVAILABLE, "");
  const absl::Status ran =
      Run(source, {{.read = 2, .answers = 0, .put_off = {0}, .end = lost}, {.read = 2}});
  ASSERT_TRUE(ran.ok()) << ran;
  EXPECT_THAT(service_->points(), ElementsAre(Pair(1, 20), Pair(2, 10)));
  EXPECT_EQ(source.stored, 3U);
  EXPECT_THAT(source.refused, IsEmpty());
}

}  // namespace
}  // namespace vettore
