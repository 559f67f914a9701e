#include "server/unary_call.h"

#include <atomic>
#include <utility>

#include "absl/time/clock.h"
#include "base/cancel.h"
#include "base/exceptions.h"

namespace vettore {
namespace {

// Owns itself: gRPC calls OnDone after everything else. Each member is touched by one thread at a
// time (RPC thread, then pool thread, then RPC thread), but for the flag. Thread-safe.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  UnaryCall(Dispatcher& dispatcher, grpc::CallbackServerContext& context, UnaryRoute route)
      : dispatcher_(dispatcher),
        route_(std::move(route)),
        arrived_(absl::Now()),
        // The flag is also raised when the deadline passes: then that is what the token says.
        context_{.cancel = CancelToken(DeadlineOf(context),
                                       [this, deadline = DeadlineOf(context)] {
                                         return is_cancelled_.load(std::memory_order_relaxed) &&
                                                absl::Now() < deadline;
                                       }),
                 .arrived = arrived_,
                 .helpers = dispatcher.ReadHelpers()} {}

  void Start(const grpc::ByteBuffer& in, grpc::ByteBuffer& out) {
    if (absl::Status status = dispatcher_.Enter(); !status.ok()) return Reply(status);
    has_entered_ = true;
    if (absl::Status status = dispatcher_.ReserveBytes(in.Length()); !status.ok())
      return Reply(status);
    reserved_bytes_ = in.Length();
    absl::Status status = dispatcher_.Schedule(route_.lane, [this, &in, &out] { Run(in, out); });
    if (!status.ok()) Reply(status);
  }

  void OnCancel() override { is_cancelled_.store(true, std::memory_order_relaxed); }

  void OnDone() override {
    Dispatcher& dispatcher = dispatcher_;
    const uint64_t bytes = reserved_bytes_;
    const bool has_entered = has_entered_;
    delete this;
    dispatcher.ReleaseBytes(bytes);
    if (has_entered) dispatcher.Leave();
  }

 private:
  ~UnaryCall() override = default;

  void Run(const grpc::ByteBuffer& in, grpc::ByteBuffer& out) {
    Reply(CatchExceptions("serve the request", [&] {
      absl::Status status = context_.cancel.Poll();
      return status.ok() ? route_.handler(in, context_, out) : status;
    }));
  }

  // The last thing that a call does with itself: OnDone may come at once.
  void Reply(const absl::Status& status) {
    dispatcher_.LogCall(route_.method, status, absl::Now() - arrived_);
    Finish(ToGrpcStatus(status));
  }

  Dispatcher& dispatcher_;
  const UnaryRoute route_;
  const absl::Time arrived_;
  const RequestContext context_;
  std::atomic<bool> is_cancelled_ = false;
  uint64_t reserved_bytes_ = 0;
  bool has_entered_ = false;
};

}  // namespace

absl::Time DeadlineOf(const grpc::CallbackServerContext& context) {
  const auto deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return absl::InfiniteFuture();
  return absl::FromChrono(deadline);
}

grpc::ServerUnaryReactor* StartUnaryCall(Dispatcher& dispatcher,
                                         grpc::CallbackServerContext& context,
                                         const grpc::ByteBuffer& in, grpc::ByteBuffer& out,
                                         UnaryRoute route) {
  auto* call = new UnaryCall(dispatcher, context, std::move(route));
  call->Start(in, out);
  return call;
}

}  // namespace vettore
