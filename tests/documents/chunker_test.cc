#include "documents/chunker.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "documents/fixture.h"
#include "documents/sentence_splitter.h"
#include "documents/unicode.h"
#include "gmock/gmock.h"

namespace vettore {
namespace {

using ::testing::HasSubstr;
using ::vettore::testing::CharacterTokenizer;
using ::vettore::testing::SampleText;

std::vector<TextChunk> Chunks(const Tokenizer& tokenizer, std::string_view text,
                              const ChunkOptions& options) {
  auto chunks = ChunkText(tokenizer, text, options, CancelToken());
  EXPECT_TRUE(chunks.ok()) << chunks.status();
  return chunks.ok() ? *std::move(chunks) : std::vector<TextChunk>();
}

std::string_view TextOf(std::string_view text, const TextChunk& chunk) {
  return text.substr(chunk.begin, chunk.end - chunk.begin);
}

size_t Count(const Tokenizer& tokenizer, std::string_view text) {
  return tokenizer.Tokenize(text, SIZE_MAX).size();
}

// Every property that chunker.h promises of any text.
void ExpectPromises(const Tokenizer& tokenizer, std::string_view text,
                    const ChunkOptions& options) {
  const std::vector<TextChunk> chunks = Chunks(tokenizer, text, options);
  ASSERT_FALSE(chunks.empty());
  EXPECT_EQ(chunks.front().begin, 0u);
  EXPECT_EQ(chunks.back().end, text.size());
  for (size_t i = 0; i < chunks.size(); ++i) {
    SCOPED_TRACE(i);
    ASSERT_LT(chunks[i].begin, chunks[i].end);
    ASSERT_LE(chunks[i].end, text.size());
    const std::string_view chunk = TextOf(text, chunks[i]);
    ASSERT_LE(chunk.size(), kChunkBytes);
    ASSERT_TRUE(IsValidUtf8(chunk));
    ASSERT_LE(Count(tokenizer, chunk), options.max_tokens);
    if (i == 0) continue;
    ASSERT_GT(chunks[i].begin, chunks[i - 1].begin);
    ASSERT_GT(chunks[i].end, chunks[i - 1].end);
    ASSERT_LE(chunks[i].begin, chunks[i - 1].end);
    const std::string_view repeated =
        text.substr(chunks[i].begin, chunks[i - 1].end - chunks[i].begin);
    ASSERT_LE(Count(tokenizer, repeated), options.overlap_tokens);
  }
}

TEST(Chunker, KeepsItsPromisesOnMixedText) {
  const auto tokenizer = CharacterTokenizer();
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    const std::string text = SampleText(1 + seed * 500, seed);
    for (const uint32_t max_tokens : {1u, 2u, 14u, 62u, 254u, 2'000u}) {
      SCOPED_TRACE(max_tokens);
      for (const uint32_t overlap : {0u, max_tokens / 3, max_tokens / 2}) {
        ExpectPromises(*tokenizer, text, {.max_tokens = max_tokens, .overlap_tokens = overlap});
      }
    }
  }
}

TEST(Chunker, KeepsItsPromisesWithTheModelsTokenizer) {
  VETTORE_SKIP_WITHOUT_MODEL();
  auto tokenizer = Tokenizer::Load(RealModelsDirectory() / kRealModel);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    const std::string text = SampleText(seed * 2'000, seed);
    for (const uint32_t max_tokens : {14u, 126u, 254u, 510u}) {
      ExpectPromises(**tokenizer, text, {.max_tokens = max_tokens, .overlap_tokens = 32});
    }
  }
}

TEST(Chunker, ATextThatFitsIsOneChunk) {
  const auto tokenizer = CharacterTokenizer();
  const std::string text = "  One. Two. Three.\n\nFour. \n";
  const size_t tokens = Count(*tokenizer, text);
  auto chunks = Chunks(*tokenizer, text, {.max_tokens = static_cast<uint32_t>(tokens)});
  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_EQ(chunks[0].begin, 0u);
  EXPECT_EQ(chunks[0].end, text.size());
  chunks = Chunks(*tokenizer, text, {.max_tokens = static_cast<uint32_t>(tokens) - 1});
  ASSERT_EQ(chunks.size(), 2u);
}

TEST(Chunker, NothingGivesNoChunk) {
  EXPECT_TRUE(Chunks(*CharacterTokenizer(), "", {.max_tokens = 10}).empty());
}

TEST(Chunker, CutsBetweenSentencesAndFillsTheWindow) {
  const auto tokenizer = CharacterTokenizer();
  // Each sentence is 5 letters and a stop.
  const std::string text = "Aaaaa. Bbbbb. Ccccc.\nDdddd. Eeeee. Fffff. Ggggg.";
  const auto chunks = Chunks(*tokenizer, text, {.max_tokens = 20});
  ASSERT_EQ(chunks.size(), 3u);
  EXPECT_EQ(TextOf(text, chunks[0]), "Aaaaa. Bbbbb. Ccccc.\n");
  EXPECT_EQ(TextOf(text, chunks[1]), "Ddddd. Eeeee. Fffff. ");
  EXPECT_EQ(TextOf(text, chunks[2]), "Ggggg.");
}

TEST(Chunker, RepeatsWholeSentencesWithinTheOverlap) {
  const auto tokenizer = CharacterTokenizer();
  const std::string text = "Aaaaa. Bbbbb. Ccccc. Ddddd. Eeeee. Fffff. Ggggg.";
  auto chunks = Chunks(*tokenizer, text, {.max_tokens = 24, .overlap_tokens = 7});
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_EQ(TextOf(text, chunks[0]), "Aaaaa. Bbbbb. Ccccc. Ddddd. ");
  EXPECT_EQ(TextOf(text, chunks[1]), "Ddddd. Eeeee. Fffff. Ggggg.");
  // A sentence of 6 tokens does not fit an overlap of 5.
  chunks = Chunks(*tokenizer, text, {.max_tokens = 24, .overlap_tokens = 5});
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_EQ(TextOf(text, chunks[1]), "Eeeee. Fffff. Ggggg.");
}

TEST(Chunker, WhatIsRepeatedGivesWayToALongSentence) {
  const auto tokenizer = CharacterTokenizer();
  const std::string text = "Aaaaa. Bbbbb. C" + std::string(17, 'c') + ". Dd.";
  const auto chunks = Chunks(*tokenizer, text, {.max_tokens = 20, .overlap_tokens = 8});
  ASSERT_EQ(chunks.size(), 3u);
  EXPECT_EQ(TextOf(text, chunks[0]), "Aaaaa. Bbbbb. ");
  EXPECT_EQ(TextOf(text, chunks[1]), "C" + std::string(17, 'c') + ". ");
}

TEST(Chunker, ALongSentenceIsCutBetweenWords) {
  const auto tokenizer = CharacterTokenizer();
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += std::string(1 + i % 9, static_cast<char>('a' + i % 26)) + " ";
  const auto chunks = Chunks(*tokenizer, text, {.max_tokens = 30});
  ASSERT_GT(chunks.size(), 20u);
  for (size_t i = 1; i < chunks.size(); ++i) EXPECT_EQ(text[chunks[i].begin - 1], ' ');
  EXPECT_LT(chunks.size(), 50u) << "windows are filled";
}

TEST(Chunker, AWordLongerThanTheWindowIsCutWithoutLoss) {
  const auto tokenizer = CharacterTokenizer();
  // 90 letters are 90 tokens; words of more than 100 letters are one unknown token each.
  ExpectPromises(*tokenizer, std::string(90, 'x'), {.max_tokens = 20});
  EXPECT_EQ(Chunks(*tokenizer, std::string(90, 'x'), {.max_tokens = 20}).size(), 5u);
  const auto chunks = Chunks(*tokenizer, std::string(300'000, 'x'), {.max_tokens = 20});
  EXPECT_GE(chunks.size(), 300'000 / kChunkBytes);
  ExpectPromises(*tokenizer, std::string(300'000, 'x'), {.max_tokens = 20});
}

TEST(Chunker, TextWithoutSpacesIsCutBetweenCharacters) {
  const auto tokenizer = CharacterTokenizer();
  std::string text;
  for (int i = 0; i < 5'000; ++i) text += "漢字かな交じり文";
  ExpectPromises(*tokenizer, text, {.max_tokens = 100, .overlap_tokens = 20});
}

TEST(Chunker, LongRunsOfWhiteSpaceAreCoveredWithinTheByteLimit) {
  const auto tokenizer = CharacterTokenizer();
  const std::string text =
      "begin" + std::string(500'000, ' ') + "end." + std::string(200'000, '\n');
  ExpectPromises(*tokenizer, text, {.max_tokens = 20, .overlap_tokens = 5});
}

TEST(Chunker, IsDeterministic) {
  const auto tokenizer = CharacterTokenizer();
  const std::string text = SampleText(50'000, 7);
  const ChunkOptions options{.max_tokens = 100, .overlap_tokens = 30};
  const auto first = Chunks(*tokenizer, text, options);
  const auto second = Chunks(*tokenizer, text, options);
  EXPECT_TRUE(std::equal(
      first.begin(), first.end(), second.begin(), second.end(),
      [](const TextChunk& a, const TextChunk& b) { return a.begin == b.begin && a.end == b.end; }));
}

TEST(Chunker, RefusesMoreChunksThanAllowed) {
  const auto tokenizer = CharacterTokenizer();
  const std::string text = SampleText(10'000, 3);
  const size_t count = Chunks(*tokenizer, text, {.max_tokens = 50}).size();
  EXPECT_TRUE(
      ChunkText(*tokenizer, text, {.max_tokens = 50, .max_chunks = count}, CancelToken()).ok());
  const auto refused =
      ChunkText(*tokenizer, text, {.max_tokens = 50, .max_chunks = count - 1}, CancelToken());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("more than"));
}

TEST(Chunker, StopsWhenTheCallerIsGone) {
  const auto tokenizer = CharacterTokenizer();
  std::atomic<int> polls = 0;
  const CancelToken gone(absl::InfiniteFuture(), [&] { return ++polls > 2; });
  const auto stopped = ChunkText(*tokenizer, SampleText(1 << 20, 1), {.max_tokens = 100}, gone);
  EXPECT_EQ(stopped.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(polls, 3);
}

// Tokenising from each chunk's beginning to the end of the text would take hours.
TEST(Chunker, EightMegabytesTakeSeconds) {
  const auto tokenizer = CharacterTokenizer();
  std::string letters;
  while (letters.size() < 8 << 20) letters += "abcdefgh ";
  for (const std::string& text : {SampleText(8 << 20, 5), letters, std::string(8 << 20, '.')}) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(Chunks(*tokenizer, text, {.max_tokens = 254, .overlap_tokens = 32}).empty());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::cout << "8 MB in " << took.count() << " s\n";
    EXPECT_LT(took.count(), 30.0);
  }
}

}  // namespace
}  // namespace vettore
