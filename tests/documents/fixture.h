// What the tests of this room share: texts, and a small tokeniser of real files.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "embed/model_directory.h"
#include "embed/tokenizer.h"
#include "gtest/gtest.h"
#include "support/real_model.h"
#include "support/temporary_directory.h"

namespace vettore::testing {

// A WordPiece tokeniser whose vocabulary is single characters: a word of n letters is n tokens.
inline std::unique_ptr<Tokenizer> CharacterTokenizer() {
  const TemporaryDirectory directory;
  std::ofstream vocabulary(directory.path() / "vocab.txt");
  vocabulary << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (char c = '!'; c <= '~'; ++c) vocabulary << c << "\n";
  for (char c = 'a'; c <= 'z'; ++c) vocabulary << "##" << c << "\n";
  for (char c = '0'; c <= '9'; ++c) vocabulary << "##" << c << "\n";
  vocabulary.close();
  std::ofstream(directory.path() / "tokenizer_config.json")
      << R"({"tokenizer_class": "BertTokenizer", "do_lower_case": true})";
  auto tokenizer = Tokenizer::Load(directory.path());
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return tokenizer.ok() ? *std::move(tokenizer) : nullptr;
}

// Prose in several scripts, with what makes splitting hard.
inline const std::vector<std::string>& SampleParagraphs() {
  static const auto* const kParagraphs = new std::vector<std::string>{
      "The lighthouse keeper, Dr. A. B. Moore, wrote down the weather every hour. At 3.14 a.m. the "
      "wind "
      "turned north-east; \"Is it safe?\" asked the boy. Nobody answered... The lamp burned on! "
      "See Fig. 3 "
      "and www.example.org/log.html for the log.",
      "Il fornaio aprì la bottega prima dell'alba. Il sig. Rossi arrivò per primo: «Buongiorno!» "
      "disse. "
      "Perché piove sempre di lunedì? Nessuno lo sa.",
      "Die Brücke wurde im Jahr 1931 gebaut. Sie ist z. B. bei Radfahrern beliebt; ca. 400 fahren "
      "täglich "
      "darüber. „Schön ist sie nicht“, sagte Frau Weiß.",
      "火车在雪中慢慢前进。窗外什么也看不见！他问：“我们到了吗？”没有人回答。",
      "नदी धीरे-धीरे बहती है। बच्चे किनारे पर खेलते हैं। क्या कल बारिश होगी?",
      "Кошка спала на подоконнике. За окном шёл снег… Кто-то постучал в дверь? Да, это был "
      "почтальон.",
      "ذهب الصياد إلى البحر مبكرا. هل عاد بسمك كثير؟ نعم، عاد قبل الظهر.",
      "# A heading\n\n- first item of a list\n- second item, which is longer\n- third\n\n1. One. "
      "Two.\n2. Three.",
      "fn main() { let x = vec![1, 2, 3]; println!(\"{:?}\", x); } // 🦀 crab "
      "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB",
      "a_very_long_identifier_without_any_space_in_it_" + std::string(300, 'x') +
          "/path/to/somewhere?q=1&r=2",
      "\t  indented   text\twith\u00a0odd \u3000 spaces \r\n and a line break of another "
      "system.\r\n"};
  return *kParagraphs;
}

// About `bytes` bytes of the paragraphs above in an order that `seed` gives, with gaps of white
// space of several kinds.
inline std::string SampleText(size_t bytes, uint32_t seed) {
  static constexpr std::string_view kGaps[] = {" ",         "\n\n", "\n",      "\r\n\r\n",
                                               "  \n \n\n", "",     "\n\n\n\n"};
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < bytes) {
    text += SampleParagraphs()[random() % SampleParagraphs().size()];
    text += kGaps[random() % std::size(kGaps)];
  }
  return text;
}

}  // namespace vettore::testing
