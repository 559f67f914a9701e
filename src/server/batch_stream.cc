#include "server/batch_stream.h"

#include <atomic>
#include <deque>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "server/unary_call.h"

namespace vettore {
namespace {

using BidiReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

struct Batch {
  grpc::ByteBuffer bytes;
  uint64_t reserved_bytes = 0;
  absl::Time arrived;
};

struct Answer {
  grpc::ByteBuffer bytes;
  bool returns_credit = true;
};

// A state machine: every event changes the state under the lock, NextStep decides there what
// follows, and Advance does it outside, because gRPC may call back. The stream finishes only when
// no operation of its own is being started or is running, but for a read: gRPC ends that one
// itself. The pool's task and Drain hold a reference; gRPC's own ends with OnDone. Thread-safe.
class BatchStream final : public BidiReactor,
                          public DrainableStream,
                          public std::enable_shared_from_this<BatchStream> {
 public:
  BatchStream(Dispatcher& dispatcher, StreamRegistry& registry,
              grpc::CallbackServerContext& context, BatchHandler handler,
              const BatchOptions& options)
      : dispatcher_(dispatcher),
        registry_(registry),
        handler_(std::move(handler)),
        options_(options),
        deadline_(DeadlineOf(context)) {}

  void Start() ABSL_LOCKS_EXCLUDED(mutex_);
  void Drain() override ABSL_LOCKS_EXCLUDED(mutex_);

  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnDone() override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  enum class Step { kNothing, kRead, kWrite, kWork, kFinish };

  void Advance() ABSL_LOCKS_EXCLUDED(mutex_);
  Step NextStep() ABSL_LOCKS_EXCLUDED(mutex_);
  Step NextLiveStep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The last thing that is done with the stream: OnDone may come at once.
  void FinishStream() ABSL_LOCKS_EXCLUDED(mutex_);
  void EndStarting() ABSL_LOCKS_EXCLUDED(mutex_);
  void ScheduleWork() ABSL_LOCKS_EXCLUDED(mutex_);
  void RunBatch() ABSL_LOCKS_EXCLUDED(mutex_);
  void EndWork(const Batch& batch, absl::StatusOr<grpc::ByteBuffer> answer)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Reads no more; what was read is still answered, then the stream ends with the first status it
  // was closed with.
  void Close(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!closing_) closing_ = status;
  }
  void DropPending() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Dispatcher& dispatcher_;
  StreamRegistry& registry_;
  const BatchHandler handler_;
  const BatchOptions options_;
  const absl::Time deadline_;
  std::shared_ptr<BatchStream> self_;  // gRPC's reference; set in Start, given up in OnDone.
  bool has_entered_ = false;           // Set in Start.

  std::atomic<bool> is_gone_ = false;  // The client: nothing can be sent any more.
  grpc::ByteBuffer incoming_;          // The read's, while one is under way.
  Answer outgoing_;                    // The write's, while one is under way.

  absl::Mutex mutex_;
  std::deque<Batch> pending_ ABSL_GUARDED_BY(mutex_);
  std::deque<Answer> answers_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> closing_ ABSL_GUARDED_BY(mutex_);
  uint32_t unanswered_ ABSL_GUARDED_BY(mutex_) = 0;  // Batches read whose answer is not written.
  int starting_ ABSL_GUARDED_BY(mutex_) =
      0;  // Operations between their decision and gRPC's having them.
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool working_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

void BatchStream::Start() {
  self_ = shared_from_this();
  absl::Status entered = dispatcher_.Enter();
  has_entered_ = entered.ok();
  absl::StatusOr<grpc::ByteBuffer> greeting = handler_.greeting();
  if (entered.ok()) {
    registry_.Add(self_);
    entered = greeting.status();
  }
  {
    absl::MutexLock lock(&mutex_);
    if (entered.ok()) {
      answers_.push_back({.bytes = *std::move(greeting), .returns_credit = false});
    } else {
      Close(entered);
    }
  }
  Advance();
}

void BatchStream::Drain() {
  {
    absl::MutexLock lock(&mutex_);
    Close(absl::UnavailableError(
        "the server is stopping; send what was not answered again when it is back"));
  }
  Advance();
}

void BatchStream::OnReadDone(bool ok) {
  const uint64_t bytes = ok ? incoming_.Length() : 0;
  const absl::Status reserved = ok ? dispatcher_.ReserveBytes(bytes) : absl::OkStatus();
  {
    absl::MutexLock lock(&mutex_);
    reading_ = false;
    if (!ok) {
      Close(absl::OkStatus());
    } else if (!reserved.ok()) {
      Close(reserved);
    } else {
      pending_.push_back({.bytes = incoming_, .reserved_bytes = bytes, .arrived = absl::Now()});
      ++unanswered_;
    }
    incoming_.Clear();
  }
  Advance();
}

void BatchStream::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (outgoing_.returns_credit) --unanswered_;
    outgoing_.bytes.Clear();
    if (!ok) is_gone_ = true;
  }
  Advance();
}

void BatchStream::OnCancel() {
  is_gone_ = true;
  Advance();
}

void BatchStream::OnDone() {
  registry_.Remove(this);
  {
    absl::MutexLock lock(&mutex_);
    DropPending();
  }
  Dispatcher& dispatcher = dispatcher_;
  const bool has_entered = has_entered_;
  self_.reset();
  if (has_entered) dispatcher.Leave();
}

void BatchStream::DropPending() {
  for (const Batch& batch : pending_) dispatcher_.ReleaseBytes(batch.reserved_bytes);
  pending_.clear();
}

BatchStream::Step BatchStream::NextStep() {
  absl::MutexLock lock(&mutex_);
  if (finished_) return Step::kNothing;
  if (!is_gone_) return NextLiveStep();
  DropPending();
  if (working_ || writing_ || starting_ > 0) return Step::kNothing;
  closing_ = absl::CancelledError("the client is gone");
  finished_ = true;
  return Step::kFinish;
}

BatchStream::Step BatchStream::NextLiveStep() {
  if (!writing_ && !answers_.empty()) {
    outgoing_ = std::move(answers_.front());
    answers_.pop_front();
    writing_ = true;
    ++starting_;
    return Step::kWrite;
  }
  if (!working_ && !pending_.empty()) {
    working_ = true;
    return Step::kWork;
  }
  if (!closing_ && !reading_ && unanswered_ < options_.credits) {
    reading_ = true;
    ++starting_;
    return Step::kRead;
  }
  if (!closing_ || working_ || writing_ || starting_ > 0) return Step::kNothing;
  finished_ = true;
  return Step::kFinish;
}

void BatchStream::Advance() {
  while (true) {
    switch (NextStep()) {
      case Step::kNothing:
        return;
      case Step::kRead:
        StartRead(&incoming_);
        EndStarting();
        break;
      case Step::kWrite:
        StartWrite(&outgoing_.bytes);
        EndStarting();
        break;
      case Step::kWork:
        ScheduleWork();
        break;
      case Step::kFinish:
        return FinishStream();
    }
  }
}

void BatchStream::FinishStream() {
  grpc::Status status;
  {
    absl::MutexLock lock(&mutex_);
    status = ToGrpcStatus(*closing_);
  }
  Finish(status);
}

void BatchStream::EndStarting() {
  absl::MutexLock lock(&mutex_);
  --starting_;
}

void BatchStream::ScheduleWork() {
  const absl::Status scheduled =
      dispatcher_.Schedule(Lane::kWrite, [self = shared_from_this()] { self->RunBatch(); });
  if (scheduled.ok()) return;
  absl::MutexLock lock(&mutex_);
  working_ = false;
  DropPending();
  Close(scheduled);
}

void BatchStream::RunBatch() {
  Batch batch;
  {
    absl::MutexLock lock(&mutex_);
    if (!pending_.empty()) {
      batch = std::move(pending_.front());
      pending_.pop_front();
    }
  }
  if (!batch.bytes.Valid()) {  // Dropped while it waited: the client is gone.
    {
      absl::MutexLock lock(&mutex_);
      working_ = false;
    }
    return Advance();
  }
  const RequestContext context{
      .cancel = CancelToken(deadline_, [this] { return is_gone_.load(std::memory_order_relaxed); }),
      .arrived = batch.arrived};
  EndWork(batch,
          CatchExceptions("serve the request", [&] { return handler_.run(batch.bytes, context); }));
  Advance();
}

void BatchStream::EndWork(const Batch& batch, absl::StatusOr<grpc::ByteBuffer> answer) {
  dispatcher_.ReleaseBytes(batch.reserved_bytes);
  absl::MutexLock lock(&mutex_);
  working_ = false;
  if (answer.ok()) {
    answers_.push_back({.bytes = *std::move(answer), .returns_credit = true});
    return;
  }
  // The message itself was no batch: what follows it cannot be trusted, and is not run.
  DropPending();
  Close(answer.status());
}

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartBatchStream(
    Dispatcher& dispatcher, StreamRegistry& registry, grpc::CallbackServerContext& context,
    BatchHandler handler, const BatchOptions& options) {
  const auto stream =
      std::make_shared<BatchStream>(dispatcher, registry, context, std::move(handler), options);
  stream->Start();
  return stream.get();
}

}  // namespace vettore
