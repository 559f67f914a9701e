// Sentences, or pieces of long ones, are counted one by one and packed greedily; each finished
// chunk is counted again as a whole, so that it fits even where a tokeniser joins what the pieces
// held apart.
#include "documents/chunker.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "base/status.h"
#include "base/strings.h"
#include "documents/sentence_splitter.h"
#include "documents/unicode.h"

namespace vettore {
namespace {

// Longer sentences are tokenised in stretches of this many bytes, which bounds memory and the work
// done twice.
constexpr size_t kStretchBytes = 8 << 10;
constexpr size_t kUnitsPerPoll = 64;

// The smallest piece that is packed: a sentence, or part of one that is too long.
struct Unit {
  size_t begin = 0;
  size_t end = 0;
  size_t tokens = 0;
  bool is_whole = false;  // A whole sentence, which may be repeated.
};

// Externally synchronised; one text each.
class Chunker {
 public:
  Chunker(const Tokenizer& tokenizer, std::string_view text, const ChunkOptions& options,
          const CancelToken& cancel)
      : tokenizer_(tokenizer), text_(text), options_(options), cancel_(cancel) {}

  absl::StatusOr<std::vector<TextChunk>> Run() {
    if (text_.empty()) return std::vector<TextChunk>();
    if (text_.size() <= kChunkBytes && Count(0, text_.size()) <= options_.max_tokens) {
      VETTORE_RETURN_IF_ERROR(Append(0, text_.size()));
      return std::move(chunks_);
    }
    for (size_t begin = 0; begin < text_.size();) {
      const size_t end = NextSentence(text_, begin);
      VETTORE_RETURN_IF_ERROR(AddSentence(begin, end));
      begin = end;
    }
    while (open_.size() > repeated_) {
      VETTORE_RETURN_IF_ERROR(Close());
    }
    return std::move(chunks_);
  }

 private:
  // Tokens of the bytes [begin, end), counted no further than one past the window.
  size_t Count(size_t begin, size_t end) const {
    return tokenizer_.Tokenize(text_.substr(begin, end - begin), size_t{options_.max_tokens} + 1)
        .size();
  }

  absl::Status AddSentence(size_t begin, size_t end) {
    if (end - begin <= kStretchBytes)
      return AddStretch({.begin = begin, .end = end, .is_whole = true});
    while (begin < end) {
      const size_t stretch = StretchEnd(begin, end);
      VETTORE_RETURN_IF_ERROR(AddStretch({.begin = begin, .end = stretch}));
      begin = stretch;
    }
    return absl::OkStatus();
  }

  // Where to cut a sentence of more than kStretchBytes: after white space, if the latter half of
  // the stretch has any.
  size_t StretchEnd(size_t begin, size_t end) const {
    if (end - begin <= kStretchBytes) return end;
    const size_t latest = CodePointFloor(text_, begin + kStretchBytes);
    for (size_t at = latest; at > begin + kStretchBytes / 2;) {
      const CodePoint before = CodePointBefore(text_, at);
      if (IsWhiteSpace(before.value)) return at;
      at -= before.bytes;
    }
    return latest;
  }

  // Adds a stretch, whose tokens are not counted yet, in pieces that fit the window.
  absl::Status AddStretch(Unit stretch) {
    while (stretch.begin < stretch.end) {
      const std::vector<Token> tokens =
          tokenizer_.Tokenize(text_.substr(stretch.begin, stretch.end - stretch.begin),
                              size_t{options_.max_tokens} + 1);
      const size_t cut = tokens.size() <= options_.max_tokens ? 0 : BestCut(stretch.begin, tokens);
      stretch.tokens = std::min<size_t>(tokens.size(), options_.max_tokens);
      if (cut == 0) return Add(stretch);
      stretch.is_whole = false;
      Unit piece = stretch;
      piece.end = stretch.begin + tokens[cut].begin;
      piece.tokens = cut;
      VETTORE_RETURN_IF_ERROR(Add(piece));
      stretch.begin = piece.end;
    }
    return absl::OkStatus();
  }

  enum class Cut { kNone, kToken, kWord, kSpace };

  // What a cut before byte `at` of the text would part; the token before it ends at
  // `previous_end`.
  Cut CutAt(size_t at, size_t previous_end) const {
    if (at < previous_end || CodePointFloor(text_, at) != at) return Cut::kNone;
    const int32_t before = CodePointBefore(text_, at).value;
    if (IsWhiteSpace(before)) return Cut::kSpace;
    const bool is_inside_word =
        IsWordCharacter(before) && IsWordCharacter(CodePointAt(text_, at).value);
    return is_inside_word ? Cut::kToken : Cut::kWord;
  }

  // The token before which a stretch of max_tokens + 1 tokens is cut: in the latter half at white
  // space, else at the border of a word; else at the last border of tokens. 0 when there is none.
  size_t BestCut(size_t begin, const std::vector<Token>& tokens) const {
    size_t best = 0;
    Cut best_kind = Cut::kNone;
    for (size_t i = tokens.size() - 1; i > 0; --i) {
      if (i < tokens.size() / 2 && best_kind != Cut::kNone) break;
      if (tokens[i].begin == 0) break;
      const Cut kind = CutAt(begin + tokens[i].begin, begin + tokens[i - 1].end);
      if (kind > best_kind) {
        best = i;
        best_kind = kind;
      }
      if (best_kind == Cut::kSpace) break;
    }
    return best;
  }

  absl::Status Add(const Unit& unit) {
    if (++units_ % kUnitsPerPoll == 0) {
      VETTORE_RETURN_IF_ERROR(cancel_.Poll());
    }
    while (!open_.empty() && !Fits(unit)) {
      VETTORE_RETURN_IF_ERROR(MakeRoom());
    }
    open_.push_back(unit);
    open_tokens_ += unit.tokens;
    return absl::OkStatus();
  }

  absl::Status MakeRoom() {
    if (open_.size() > repeated_) return Close();
    DropFront();  // What is repeated gives way to what is new.
    return absl::OkStatus();
  }

  bool Fits(const Unit& unit) const {
    return open_tokens_ + unit.tokens <= options_.max_tokens &&
           unit.end - open_.front().begin <= kChunkBytes;
  }

  void DropFront() {
    open_tokens_ -= open_.front().tokens;
    open_.pop_front();
    if (repeated_ > 0) --repeated_;
  }

  // Makes a chunk of the open units, and keeps those that the next one repeats.
  absl::Status Close() {
    size_t count = open_.size();
    while (Count(open_.front().begin, open_[count - 1].end) > options_.max_tokens) {
      if (count > repeated_ + 1) {
        count -= std::max<size_t>(1, (count - repeated_ - 1) / 8);
      } else if (repeated_ > 0) {
        DropFront();
        --count;
      } else {
        break;
      }
    }
    VETTORE_RETURN_IF_ERROR(Append(open_.front().begin, open_[count - 1].end));
    size_t kept = count;
    size_t kept_tokens = 0;
    while (kept > 1 && open_[kept - 1].is_whole &&
           kept_tokens + open_[kept - 1].tokens <= options_.overlap_tokens) {
      kept_tokens += open_[--kept].tokens;
    }
    for (size_t i = 0; i < kept; ++i) DropFront();
    repeated_ = count - kept;
    return absl::OkStatus();
  }

  absl::Status Append(size_t begin, size_t end) {
    if (chunks_.size() == options_.max_chunks) {
      return absl::InvalidArgumentError(
          StrCat("the text gives more than ", options_.max_chunks, " chunks"));
    }
    chunks_.push_back({.begin = begin, .end = end});
    return absl::OkStatus();
  }

  const Tokenizer& tokenizer_;
  const std::string_view text_;
  const ChunkOptions options_;
  const CancelToken& cancel_;

  std::vector<TextChunk> chunks_;
  std::deque<Unit> open_;   // The units of the chunk that is being filled.
  size_t open_tokens_ = 0;  // Of open_.
  size_t repeated_ = 0;     // Units at the front of open_ that the chunk before holds too.
  size_t units_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<TextChunk>> ChunkText(const Tokenizer& tokenizer, std::string_view text,
                                                 const ChunkOptions& options,
                                                 const CancelToken& cancel) {
  VETTORE_CHECK(options.max_tokens >= 1);
  return Chunker(tokenizer, text, options, cancel).Run();
}

}  // namespace vettore
