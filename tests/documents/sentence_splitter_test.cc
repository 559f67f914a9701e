#include "documents/sentence_splitter.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "documents/fixture.h"
#include "documents/unicode.h"
#include "gmock/gmock.h"

namespace vettore {
namespace {

using ::testing::ElementsAre;
using ::vettore::testing::SampleText;

// The sentences without the white space around them.
std::vector<std::string> Sentences(std::string_view text) {
  std::vector<std::string> sentences;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = NextSentence(text, begin);
    EXPECT_GT(end, begin);
    sentences.emplace_back(TrimWhiteSpace(text.substr(begin, end - begin)));
    begin = end;
  }
  return sentences;
}

TEST(SentenceSplitter, StopsMarksAndEllipsesEndSentences) {
  EXPECT_THAT(
      Sentences("It rained. Who knew? Run! And then… Nothing... Silence."),
      ElementsAre("It rained.", "Who knew?", "Run!", "And then…", "Nothing...", "Silence."));
}

TEST(SentenceSplitter, AStopWithinAWordOrNumberIsNoBorder) {
  EXPECT_THAT(Sentences("Pi is 3.14159 and example.com is up. See main.cc for more."),
              ElementsAre("Pi is 3.14159 and example.com is up.", "See main.cc for more."));
}

TEST(SentenceSplitter, InitialsAndAbbreviationsDoNotEndSentences) {
  EXPECT_THAT(
      Sentences("Dr. J. R. Smith met Mrs. Jones. They saw Fig. 3, e.g. the U.S. map. It is so."),
      ElementsAre("Dr. J. R. Smith met Mrs. Jones.", "They saw Fig. 3, e.g. the U.S. map.",
                  "It is so."));
  // The same words are no abbreviations where no name or number follows.
  EXPECT_THAT(
      Sentences("He said no. Then he turned it on. It cost 12 in 1999. Nobody paid."),
      ElementsAre("He said no.", "Then he turned it on.", "It cost 12 in 1999.", "Nobody paid."));
}

TEST(SentenceSplitter, ALowerCaseLetterContinuesTheSentence) {
  EXPECT_THAT(Sentences("It weighs approx. five kg. \"Really?\" he asked. Yes."),
              ElementsAre("It weighs approx. five kg.", "\"Really?\" he asked.", "Yes."));
}

TEST(SentenceSplitter, ClosingQuotesBracketsAndFootnotesStayWithTheirSentence) {
  EXPECT_THAT(Sentences("He said: \"Go.\" (I went.) «Bene!» It is known.[12] **Bold.** End."),
              ElementsAre("He said: \"Go.\"", "(I went.)", "«Bene!»", "It is known.[12]",
                          "**Bold.**", "End."));
}

TEST(SentenceSplitter, MarksOfOtherScriptsNeedNoWhiteSpace) {
  EXPECT_THAT(Sentences("今天下雨。你好吗？很好！“是的。”他说。"),
              ElementsAre("今天下雨。", "你好吗？", "很好！", "“是的。”", "他说。"));
  EXPECT_THAT(Sentences("他说。“你好。”"), ElementsAre("他说。", "“你好。”"));
  EXPECT_THAT(Sentences("राम आया। सीता गई। هل عاد؟ نعم."),
              ElementsAre("राम आया।", "सीता गई।", "هل عاد؟", "نعم."));
}

TEST(SentenceSplitter, ABlankLineAlwaysEndsASentence) {
  EXPECT_THAT(Sentences("A title without a stop\n\nwhich goes on in\nlower case\r\n\r\nlast"),
              ElementsAre("A title without a stop", "which goes on in\nlower case", "last"));
  EXPECT_THAT(Sentences("one\n \t \ntwo\ftwo and\rthree"),
              ElementsAre("one", "two", "two and\rthree"));
}

TEST(SentenceSplitter, MarkdownHeadingsAndItemsBeginSentences) {
  EXPECT_THAT(
      Sentences("# Title\n- one\n- two\n  and more\n1. First. Second\n2) Third"),
      ElementsAre("# Title", "- one", "- two\n  and more", "1. First.", "Second", "2) Third"));
}

TEST(SentenceSplitter, TextThatWasSplitIntoTokensIsSplitToo) {
  EXPECT_THAT(Sentences("the flow is laminar . the plate is thin ."),
              ElementsAre("the flow is laminar .", "the plate is thin ."));
}

TEST(SentenceSplitter, SentencesTileAnyText) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    const std::string text = SampleText(4'000, seed);
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = NextSentence(text, begin);
      ASSERT_GT(end, begin);
      ASSERT_LE(end, text.size());
      ASSERT_TRUE(IsValidUtf8(std::string_view(text).substr(begin, end - begin))) << begin;
      begin = end;
    }
  }
}

TEST(SentenceSplitter, BytesThatAreNoUtf8DoNoHarm) {
  EXPECT_THAT(Sentences("\xFF\xFE. \x80\x80\x80\x80\x80\x80. \xE3\x80"),
              ElementsAre("\xFF\xFE.", "\x80\x80\x80\x80\x80\x80.", "\xE3\x80"));
}

// A scan that starts over at each terminator or line would take minutes for these.
TEST(SentenceSplitter, TakesLinearTimeOnTextMadeToSlowItDown) {
  const size_t kBytes = 2 << 20;
  std::vector<std::string> texts = {std::string(kBytes, '.'), std::string(kBytes, '\n'),
                                    std::string(kBytes, ' '), std::string(kBytes, 'a')};
  for (const std::string_view pattern :
       {". ", ".\n", "a. b", "\n-", "[1", ".[12", "\"", "x\r", ".)\t"}) {
    std::string& text = texts.emplace_back();
    while (text.size() < kBytes) text += pattern;
  }
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& text : texts) {
    size_t sentences = 0;
    for (size_t begin = 0; begin < text.size(); ++sentences) begin = NextSentence(text, begin);
    EXPECT_GT(sentences, 0u);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

}  // namespace
}  // namespace vettore
