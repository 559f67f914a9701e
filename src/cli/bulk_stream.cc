#include "cli/bulk_stream.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <random>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"

namespace vettore {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(100);
constexpr absl::Duration kFirstBackoff = absl::Milliseconds(200);
constexpr absl::Duration kLongestBackoff = absl::Seconds(5);
// A batch may hold a document that takes minutes to embed; a server that is silent for longer is
// lost.
constexpr absl::Duration kLongestSilence = absl::Minutes(15);

std::string RandomProducer() {
  std::random_device device;
  return absl::StrFormat("cli-%08x%08x", device(), device());
}

absl::Duration Backoff(int failures) {
  return std::min(kLongestBackoff, kFirstBackoff * (1 << std::min(failures, 10)));
}

// The server may do better the next time.
bool IsPassing(absl::StatusCode code) {
  return code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kAborted ||
         code == absl::StatusCode::kResourceExhausted;
}

}  // namespace

// The asynchronous call behind one connection: at most one read and one write are under way, and
// none when it dies.
template <typename Bulk>
class BulkStream<Bulk>::Call {
 public:
  explicit Call(const Connection& connection)
      : stream_(Bulk::Open(connection, context_, queue_, Tag(kStart))) {
    pending_ |= kStart;
  }
  ~Call() {
    if (!finished_) Finish();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  bool can_write() const { return started_ && !broken_ && !closed_ && (pending_ & kWrite) == 0; }
  bool broken() const { return broken_; }

  void Write(const typename Bulk::StreamRequest& request) {
    stream_->Write(request, Tag(kWrite));
    pending_ |= kWrite;
  }
  void CloseWrites() {
    closed_ = true;
    stream_->WritesDone(Tag(kWrite));
    pending_ |= kWrite;
  }

  // Waits for at most a tick. The answer that came, if one did.
  std::optional<typename Bulk::StreamResponse> Wait() {
    void* tag = nullptr;
    bool ok = false;
    const auto deadline = absl::ToChronoTime(absl::Now() + kTick);
    if (queue_.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) return {};
    const auto operation = reinterpret_cast<uintptr_t>(tag);
    pending_ &= ~operation;
    if (!ok) broken_ = true;
    if (operation == kStart && ok) {
      started_ = true;
      Read();
    }
    if (operation != kRead || !ok) return {};
    typename Bulk::StreamResponse answer = std::move(answer_);
    Read();
    return answer;
  }

  void Cancel() { context_.TryCancel(); }

  // Ends the call and gives its status.
  grpc::Status Finish() {
    // After an error on our side the server still streams; a regular end has nothing pending.
    if (!broken_) context_.TryCancel();
    void* tag = nullptr;
    bool ok = false;
    while (pending_ != 0 && queue_.Next(&tag, &ok)) pending_ &= ~reinterpret_cast<uintptr_t>(tag);
    grpc::Status status;
    stream_->Finish(&status, Tag(kFinish));
    queue_.Next(&tag, &ok);
    finished_ = true;
    return status;
  }

 private:
  enum Operation : uintptr_t { kStart = 1, kRead = 2, kWrite = 4, kFinish = 8 };
  static void* Tag(Operation operation) {
    return reinterpret_cast<void*>(uintptr_t{operation});  // NOLINT: what gRPC calls a tag.
  }
  void Read() {
    answer_.Clear();
    stream_->Read(&answer_, Tag(kRead));
    pending_ |= kRead;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReaderWriterInterface<typename Bulk::StreamRequest,
                                                         typename Bulk::StreamResponse>>
      stream_;
  typename Bulk::StreamResponse answer_;
  uintptr_t pending_ = 0;
  bool started_ = false;
  bool broken_ = false;  // A read or write failed: the call is over.
  bool closed_ = false;
  bool finished_ = false;
};

template <typename Bulk>
BulkStream<Bulk>::BulkStream(const Connection& connection)
    : connection_(connection), producer_(RandomProducer()), last_success_(absl::Now()) {}

template <typename Bulk>
absl::Status BulkStream<Bulk>::Run(BulkSource<Bulk>& source) {
  while (true) {
    absl::Status ended = RunConnected(source);
    if (ended.ok()) return source_error_;
    if (InterruptScope::Happened()) return InterruptedError("interrupted");
    if (!IsPassing(ended.code())) return ended;
    VETTORE_RETURN_IF_ERROR(WaitBeforeRetry(source, ended));
    for (Pending& pending : unanswered_) Enqueue(std::move(pending));
    unanswered_.clear();
  }
}

template <typename Bulk>
absl::Status BulkStream<Bulk>::WaitBeforeRetry(BulkSource<Bulk>& source, const absl::Status& lost) {
  const absl::Time now = absl::Now();
  if (failures_ == 0) {
    // Nothing was ever sent: there is no server, and the user should hear of it at once.
    if (next_batch_id_ == 1 && absl::IsUnavailable(lost)) return lost;
    last_success_ = now;
    const std::string why = absl::IsUnavailable(lost)
                                ? "the connection was lost"
                                : StrCat("the server is busy (", StdView(lost.message()), ")");
    source.OnNotice(StrCat(why, "; trying again for ", FormatSpan(connection_.timeout())));
  }
  if (now - last_success_ > connection_.timeout()) return lost;
  const absl::Time until = now + Backoff(failures_++);
  while (absl::Now() < until) {
    if (InterruptScope::Happened()) return InterruptedError("interrupted");
    source.OnTick();
    absl::SleepFor(kTick);
  }
  return absl::OkStatus();
}

template <typename Bulk>
absl::Status BulkStream<Bulk>::RunConnected(BulkSource<Bulk>& source) {
  Call call(connection_);
  credits_ = 0;
  stored_anew_ = false;
  absl::Time last_answer = absl::Now();
  bool closed = false;
  while (!call.broken()) {
    if (call.can_write() && AllSent() && unanswered_.empty()) {
      call.CloseWrites();
      closed = true;
    }
    if (call.can_write()) {
      VETTORE_RETURN_IF_ERROR(SendNext(source, call));
    }
    if (std::optional<typename Bulk::StreamResponse> answer = call.Wait()) {
      last_answer = absl::Now();
      VETTORE_RETURN_IF_ERROR(OnAnswer(source, *std::move(answer)));
    }
    source.OnTick();
    if (InterruptScope::Happened()) return InterruptedError("interrupted");
    if (absl::Now() - last_answer > kLongestSilence) {
      return absl::DeadlineExceededError(
          StrCat("the server has been silent for ", FormatSpan(kLongestSilence)));
    }
  }
  const grpc::Status status = call.Finish();
  if (!status.ok()) return connection_.StatusOf(status);
  if (closed) return absl::OkStatus();
  return absl::UnavailableError("the server closed the stream before everything was answered");
}

template <typename Bulk>
absl::Status BulkStream<Bulk>::SendNext(BulkSource<Bulk>& source, Call& call) {
  if (unanswered_.size() >= credits_ || absl::Now() < not_before_) return absl::OkStatus();
  if (waiting_.empty() && !source_ended_) {
    absl::StatusOr<std::optional<BulkBatch<Bulk>>> batch = source.NextBatch();
    if (!batch.ok()) source_error_ = batch.status();
    if (batch.ok() && *batch) {
      const uint64_t first = next_record_;
      next_record_ += (*batch)->places.size();
      Enqueue({.batch = **std::move(batch), .first_record = first});
    } else {
      source_ended_ = true;
    }
  }
  if (waiting_.empty()) return absl::OkStatus();
  const bool overtaken =
      !unanswered_.empty() && unanswered_.back().first_record > waiting_.begin()->first;
  if (overtaken) return absl::OkStatus();
  Pending pending = std::move(waiting_.extract(waiting_.begin()).mapped());
  if (!pending.lane) AssignLane(pending);
  pending.batch_id = next_batch_id_++;
  typename Bulk::StreamRequest request;
  request.set_batch_id(pending.batch_id);
  *request.mutable_batch() = pending.batch.request;
  v1::Producer& producer = *request.mutable_batch()->mutable_options()->mutable_producer();
  producer.set_id(StrCat(producer_, "-", *pending.lane));
  producer.set_seq(pending.sequence);
  call.Write(request);
  unanswered_.push_back(std::move(pending));
  return absl::OkStatus();
}

template <typename Bulk>
void BulkStream<Bulk>::AssignLane(Pending& pending) {
  const auto free =
      std::find_if(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return !lane.busy; });
  pending.lane = static_cast<size_t>(free - lanes_.begin());
  if (free == lanes_.end()) lanes_.emplace_back();
  Lane& lane = lanes_[*pending.lane];
  lane.busy = true;
  pending.sequence = ++lane.sequence;
}

template <typename Bulk>
void BulkStream<Bulk>::FreeLane(Pending& pending) {
  if (pending.lane) lanes_[*pending.lane].busy = false;
  pending.lane.reset();
}

template <typename Bulk>
void BulkStream<Bulk>::Enqueue(Pending pending) {
  const uint64_t first = pending.first_record;
  waiting_.emplace(first, std::move(pending));
}

template <typename Bulk>
uint64_t BulkStream<Bulk>::DropReplaced(Pending& stored) {
  const auto end = waiting_.lower_bound(stored.first_record);
  if (end == waiting_.begin()) return 0;
  absl::flat_hash_set<std::string> ids;
  for (const auto& record : *Bulk::Records(stored.batch.request)) ids.insert(Bulk::IdOf(record));
  uint64_t dropped = 0;
  for (auto at = waiting_.begin(); at != end;) {
    Pending& earlier = at->second;
    auto& records = *Bulk::Records(earlier.batch.request);
    int kept = 0;
    for (int i = 0; i < records.size(); ++i) {
      if (ids.contains(Bulk::IdOf(records[i]))) continue;
      records.SwapElements(kept, i);
      std::swap(earlier.batch.places[static_cast<size_t>(kept++)],
                earlier.batch.places[static_cast<size_t>(i)]);
    }
    dropped += static_cast<uint64_t>(records.size() - kept);
    records.DeleteSubrange(kept, records.size() - kept);
    earlier.batch.places.resize(static_cast<size_t>(kept));
    if (kept == 0) FreeLane(earlier);
    at = kept == 0 ? waiting_.erase(at) : std::next(at);
  }
  return dropped;
}

template <typename Bulk>
absl::Status BulkStream<Bulk>::OnAnswer(BulkSource<Bulk>& source,
                                        typename Bulk::StreamResponse answer) {
  credits_ = answer.credits();
  if (!answer.has_batch_id()) return absl::OkStatus();
  const auto at = std::find_if(unanswered_.begin(), unanswered_.end(), [&](const Pending& pending) {
    return pending.batch_id == answer.batch_id();
  });
  if (at == unanswered_.end()) {
    return absl::InternalError(
        StrCat("the server answered batch ", answer.batch_id(), ", which was not sent"));
  }
  Pending pending = std::move(*at);
  unanswered_.erase(at);
  if (answer.has_error()) return OnBatchError(source, std::move(pending), answer.error());
  FreeLane(pending);
  if (std::exchange(failures_, 0) > 0) source.OnNotice("going on");
  last_success_ = absl::Now();
  if (answer.response().duplicate() && stored_anew_) {
    // An earlier batch was stored only now and may have undone this one, which was stored before
    // the connection was lost.
    Enqueue(std::move(pending));
    return absl::OkStatus();
  }
  stored_anew_ |= !answer.response().duplicate();
  pending.batch.replaced = DropReplaced(pending);
  source.OnStored(pending.batch, answer.response());
  return absl::OkStatus();
}

template <typename Bulk>
absl::Status BulkStream<Bulk>::OnBatchError(BulkSource<Bulk>& source, Pending pending,
                                            const v1::BatchError& error) {
  const auto code = static_cast<absl::StatusCode>(error.code());
  if (IsPassing(code)) {
    if (failures_ == 0) {
      last_success_ = absl::Now();
      source.OnNotice(StrCat("the server put off a batch (", error.message(), "); trying again"));
    }
    if (absl::Now() - last_success_ > connection_.timeout()) {
      return absl::Status(code, error.message());
    }
    not_before_ = absl::Now() + Backoff(failures_++);
    Enqueue(std::move(pending));
    return absl::OkStatus();
  }
  FreeLane(pending);
  if (code != absl::StatusCode::kInvalidArgument) return absl::Status(code, error.message());
  if (pending.batch.places.size() > 1) {
    Split(std::move(pending));
    return absl::OkStatus();
  }
  return source.OnRefused(pending.batch.places.front(), error.message());
}

template <typename Bulk>
void BulkStream<Bulk>::Split(Pending pending) {
  auto* records = Bulk::Records(pending.batch.request);
  const int half = records->size() / 2;
  Pending second;
  second.batch.request = pending.batch.request;
  second.batch.consumed_bytes = pending.batch.consumed_bytes;
  second.first_record = pending.first_record + static_cast<uint64_t>(half);
  Bulk::Records(second.batch.request)->DeleteSubrange(0, half);
  second.batch.places.assign(pending.batch.places.begin() + half, pending.batch.places.end());
  records->DeleteSubrange(half, records->size() - half);
  pending.batch.places.resize(static_cast<size_t>(half));
  Enqueue(std::move(pending));
  Enqueue(std::move(second));
}

template class BulkStream<DocumentBulk>;
template class BulkStream<PointBulk>;

}  // namespace vettore
