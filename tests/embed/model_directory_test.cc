#include "embed/model_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "embed/tiny_model.h"
#include "support/temporary_directory.h"

namespace vettore {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Name NameOrDie(std::string_view text) {
  auto name = Name::Parse(text, "model");
  EXPECT_TRUE(name.ok()) << name.status();
  return *std::move(name);
}

TEST(ModelDirectory, ListsFoldersWithAModelInOrder) {
  const TemporaryDirectory dir;
  Write(dir.path() / "zeta/config.json", "{}");
  Write(dir.path() / "alpha/modules.json", "[]");
  Write(dir.path() / "empty/readme.txt", "");
  Write(dir.path() / ".hidden/config.json", "{}");
  Write(dir.path() / "a file", "");
  EXPECT_THAT(ModelDirectory(dir.path()).List(), ElementsAre("alpha", "zeta"));
  EXPECT_TRUE(ModelDirectory(dir.path() / "nowhere").List().empty());
}

TEST(ModelDirectory, GivesOneEmbedderToAllWhoAsk) {
  const TemporaryDirectory dir;
  const TinyModel model(dir.path() / "tiny");
  ModelDirectory models(dir.path());
  std::vector<std::shared_ptr<const Embedder>> got(8);
  std::vector<std::thread> threads;
  for (auto& embedder : got) {
    threads.emplace_back([&] {
      const auto result = models.Get(NameOrDie("tiny"));
      ASSERT_TRUE(result.ok()) << result.status();
      embedder = *result;
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_NE(got[0], nullptr);
  for (const auto& embedder : got) EXPECT_EQ(embedder, got[0]);
  EXPECT_EQ(got[0]->info().name, "tiny");
}

TEST(ModelDirectory, AnUnknownModelIsNotFoundWithTheNamesThatAre) {
  const TemporaryDirectory dir;
  const TinyModel model(dir.path() / "tiny");
  ModelDirectory models(dir.path());
  const absl::Status status = models.Get(NameOrDie("tony")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("model 'tony'"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("which holds tiny"));
}

TEST(ModelDirectory, ABrokenModelIsAnErrorUntilItIsMended) {
  const TemporaryDirectory dir;
  const TinyModel model(dir.path() / "tiny");
  const std::filesystem::path config = model.dir() / "config.json";
  const std::string good = ReadOrDie(config);
  ModelDirectory models(dir.path());
  Write(config, good.substr(0, good.size() / 2));
  const absl::Status status = models.Get(NameOrDie("tiny")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("config.json: not valid JSON"));
  Write(config, good);
  EXPECT_TRUE(models.Get(NameOrDie("tiny")).ok());
}

}  // namespace
}  // namespace vettore
