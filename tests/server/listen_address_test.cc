#include "server/listen_address.h"

#include <sys/stat.h>

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/running_server.h"

namespace vettore {
namespace {

TEST(ListenAddress, ReadsWhatItPrints) {
  for (const std::string text :
       {"127.0.0.1:6320", "0.0.0.0:1", "[::1]:65535", "[::]:0", "unix:/run/vettore.sock"}) {
    const absl::StatusOr<ListenAddress> address = ListenAddress::Parse(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->ToString(), text);
  }
  EXPECT_EQ(ListenAddress::Parse("localhost:7")->ToString(), "127.0.0.1:7");
}

TEST(ListenAddress, RefusesWhatIsNoAddress) {
  for (const std::string text :
       {"", "127.0.0.1", ":6320", "example.org:6320", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:x", "::1:6320", "[::1]", "[127.0.0.1]:1", "unix:", "127.0.0.1:"}) {
    EXPECT_EQ(ListenAddress::Parse(text).status().code(), absl::StatusCode::kInvalidArgument)
        << text;
  }
  EXPECT_EQ(ListenAddress::Parse("unix:/" + std::string(107, 'x')).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ListenAddress, OnlyLoopbackAndSocketsAreLocal) {
  for (const std::string text :
       {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "unix:/x"}) {
    EXPECT_TRUE(ListenAddress::Parse(text)->is_local()) << text;
  }
  for (const std::string text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1"}) {
    EXPECT_FALSE(ListenAddress::Parse(text)->is_local()) << text;
  }
}

TEST(ListenAddress, ProbeRefusesAFileThatIsNoSocket) {
  const TemporaryDirectory folder;
  const std::string path = folder.path() / "precious";
  std::ofstream(path) << "text";
  const absl::Status status = ListenAddress::Parse("unix:" + path)->Probe();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(ListenAddress, ProbeNamesAnAddressThatTheMachineLacks) {
  const absl::Status status = ListenAddress::Parse("192.0.2.1:6320")->Probe();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
}

}  // namespace
}  // namespace vettore
