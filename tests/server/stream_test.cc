// Ingestion streams: answers in order, credits, errors that do not end a stream, clients that go
// away.
#include <atomic>
#include <thread>

#include "server/running_server.h"

namespace vettore {
namespace {

using UpsertStream = grpc::ClientReaderWriter<v1::UpsertStreamRequest, v1::UpsertStreamResponse>;

class Stream : public RunningServer {
 protected:
  Stream() {
    Start();
    CreateThings();
    Open();
  }

  void Open() {
    context_ = std::make_unique<grpc::ClientContext>();
    context_->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    stream_ = points_->UpsertStream(context_.get());
  }

  bool Send(uint64_t batch_id, const v1::UpsertRequest& batch) {
    v1::UpsertStreamRequest request;
    request.set_batch_id(batch_id);
    *request.mutable_batch() = batch;
    return stream_->Write(request);
  }

  v1::UpsertStreamResponse Receive() {
    v1::UpsertStreamResponse response;
    EXPECT_TRUE(stream_->Read(&response));
    return response;
  }

  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<UpsertStream> stream_;
};

TEST_F(Stream, GrantsCreditsBeforeAnythingIsSent) {
  const v1::UpsertStreamResponse greeting = Receive();
  EXPECT_FALSE(greeting.has_batch_id());
  EXPECT_EQ(greeting.result_case(), v1::UpsertStreamResponse::RESULT_NOT_SET);
  EXPECT_EQ(greeting.credits(), ServerOptions().stream_credits);
  stream_->WritesDone();
  EXPECT_TRUE(Succeeds(stream_->Finish()));
}

TEST_F(Stream, AnswersEveryBatchInOrder) {
  Receive();
  constexpr uint64_t kBatches = 50;
  std::thread sender([this] {
    for (uint64_t i = 0; i < kBatches; ++i) Send(1'000 + i, ThingsBatch(1 + i * 20, 20));
    stream_->WritesDone();
  });
  uint64_t last_seq = 0;
  for (uint64_t i = 0; i < kBatches; ++i) {
    const v1::UpsertStreamResponse answer = Receive();
    EXPECT_EQ(answer.batch_id(), 1'000 + i);
    EXPECT_EQ(answer.response().upserted(), 20U);
    EXPECT_GT(answer.response().position().seq(), last_seq);
    EXPECT_GT(answer.credits(), 0U);
    last_seq = answer.response().position().seq();
  }
  sender.join();
  v1::UpsertStreamResponse none;
  EXPECT_FALSE(stream_->Read(&none));
  EXPECT_TRUE(Succeeds(stream_->Finish()));
  EXPECT_EQ(CountThings(), kBatches * 20);
}

TEST_F(Stream, FailedBatchIsAnAnswerAndTheStreamGoesOn) {
  Receive();
  Send(1, ThingsBatch(1, 5));
  v1::UpsertRequest bad = ThingsBatch(6, 5);
  bad.mutable_points(3)->mutable_vectors(0)->add_values(1);
  Send(2, bad);
  Send(3, ThingsBatch(11, 5));
  EXPECT_TRUE(Receive().has_response());
  const v1::UpsertStreamResponse failed = Receive();
  EXPECT_EQ(failed.batch_id(), 2U);
  EXPECT_EQ(failed.error().code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(failed.error().message(), testing::HasSubstr("points[3]"));
  EXPECT_EQ(Receive().response().upserted(), 5U);
  stream_->WritesDone();
  EXPECT_TRUE(Succeeds(stream_->Finish()));
  EXPECT_EQ(CountThings(), 10U);
}

TEST_F(Stream, ServerStopsReadingAClientThatIgnoresItsCredits) {
  // The client sends and does not receive. Answers of 2 KB, errors with a long path, soon fill the
  // window that its transport keeps open when it may not grow; then the server has its credits'
  // worth of unanswered batches.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel =
      grpc::CreateCustomChannel(server_->address(), grpc::InsecureChannelCredentials(), arguments);
  const auto stub = v1::Points::NewStub(channel);
  grpc::ClientContext context;
  const auto stream = stub->UpsertStream(&context);
  v1::UpsertStreamRequest request;
  *request.mutable_batch() = ThingsBatch(1, 1);
  v1::Payload* at = request.mutable_batch()->mutable_points(0)->mutable_payload();
  (*at->mutable_fields())["text"].set_text(std::string(1'000'000, 'x'));
  for (int i = 0; i < 25; ++i) at = (*at->mutable_fields())[std::string(90, 'k')].mutable_object();
  (*at->mutable_fields())["unset"];

  constexpr int kBatches = 1'000;
  std::atomic<int> sent = 0;
  std::thread sender([&] {
    while (sent < kBatches && stream->Write(request)) ++sent;
  });
  for (int before = -1; before != sent;) {
    before = sent;
    absl::SleepFor(absl::Seconds(2));
  }
  EXPECT_GE(sent, 4);
  EXPECT_LT(sent, 200) << "nothing held the client back";

  // Whoever receives may send again.
  const int stalled_at = sent;
  v1::UpsertStreamResponse answer;
  for (int i = 0; i < stalled_at; ++i) ASSERT_TRUE(stream->Read(&answer));
  EXPECT_EQ(answer.error().code(), grpc::StatusCode::INVALID_ARGUMENT);
  const absl::Time patience = absl::Now() + absl::Seconds(20);
  while (sent == stalled_at && absl::Now() < patience) absl::SleepFor(absl::Milliseconds(20));
  EXPECT_GT(sent, stalled_at);
  context.TryCancel();
  sender.join();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(Succeeds(UpsertThings(100, 1)));
}

TEST_F(Stream, ClientThatGoesAwayLeavesTheServerWell) {
  for (int i = 0; i < 20; ++i) {
    Open();
    Send(1, ThingsBatch(1, 50));
    context_->TryCancel();
    stream_->Finish();
  }
  EXPECT_TRUE(Succeeds(UpsertThings(100, 1)));
  EXPECT_GE(CountThings(), 1U);
}

TEST_F(Stream, BytesThatAreNoBatchEndTheStreamAfterTheEarlierAnswers) {
  Receive();
  Send(1, ThingsBatch(1, 5));
  // batch_id with a wire type that the field does not have is skipped; bytes that are cut short are
  // not.
  grpc::ClientContext context;
  EXPECT_TRUE(Receive().has_response());
  v1::UpsertStreamRequest deep;  // Deeper than any message may be.
  v1::Payload* at = deep.mutable_batch()->add_points()->mutable_payload();
  for (int i = 0; i < 200; ++i) at = (*at->mutable_fields())["x"].mutable_object();
  stream_->Write(deep);
  v1::UpsertStreamResponse none;
  EXPECT_FALSE(stream_->Read(&none));
  EXPECT_THAT(stream_->Finish(), Fails(grpc::StatusCode::INVALID_ARGUMENT, "no valid"));
  EXPECT_EQ(CountThings(), 5U);
}

TEST_F(Stream, RetryOfAProducerSequenceIsADuplicate) {
  Receive();
  v1::UpsertRequest batch = ThingsBatch(1, 5);
  batch.mutable_options()->mutable_producer()->set_id("producer");
  batch.mutable_options()->mutable_producer()->set_seq(1);
  Send(1, batch);
  EXPECT_FALSE(Receive().response().duplicate());
  context_->TryCancel();
  stream_->Finish();
  Open();
  Receive();
  Send(1, batch);
  EXPECT_TRUE(Receive().response().duplicate());
  stream_->WritesDone();
  EXPECT_TRUE(Succeeds(stream_->Finish()));
}

TEST_F(Stream, StoppingServerAnswersWhatItReadAndEndsTheStream) {
  Receive();
  Send(1, ThingsBatch(1, 5));
  EXPECT_TRUE(Receive().has_response());
  const absl::Time began = absl::Now();
  std::thread stopper([this] { server_->Stop(absl::Seconds(30)); });
  v1::UpsertStreamResponse none;
  while (stream_->Read(&none)) {
  }
  EXPECT_THAT(stream_->Finish(), Fails(grpc::StatusCode::UNAVAILABLE, "the server is stopping"));
  stopper.join();
  EXPECT_LT(absl::Now() - began, absl::Seconds(10)) << "an idle stream must not use up the grace";
}

TEST_F(Stream, ManyStreamsAtOnceLoseNothing) {
  constexpr int kStreams = 8;
  std::vector<std::thread> clients;
  for (int s = 0; s < kStreams; ++s) {
    clients.emplace_back([this, s] {
      grpc::ClientContext context;
      const auto stream = points_->UpsertStream(&context);
      v1::UpsertStreamResponse answer;
      ASSERT_TRUE(stream->Read(&answer));
      for (uint64_t i = 0; i < 20; ++i) {
        v1::UpsertStreamRequest request;
        request.set_batch_id(i);
        *request.mutable_batch() = ThingsBatch(static_cast<uint64_t>(s) * 1'000 + i * 10, 10);
        ASSERT_TRUE(stream->Write(request));
        ASSERT_TRUE(stream->Read(&answer));
        ASSERT_EQ(answer.batch_id(), i);
        ASSERT_TRUE(answer.has_response()) << answer.error().message();
      }
      stream->WritesDone();
      EXPECT_TRUE(Succeeds(stream->Finish()));
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(CountThings(), kStreams * 200U);
}

}  // namespace
}  // namespace vettore
