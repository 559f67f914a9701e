// Finds where sentences end in running text of any language, by punctuation and line structure
// alone.
#pragma once

#include <cstddef>
#include <string_view>

namespace vettore {

// The beginning of the sentence after the one that begins at byte `begin`, or text.size(). The
// white space between two sentences belongs to the first, so that sentences tile the text. Walking
// a text from 0 is linear in its length.
//
// The rules are a cut of UAX #29 (Unicode Text Segmentation, section 5) for text as people write
// it:
//  - `.`, `!`, `?` and `…` end a sentence when white space follows, closing quotes, brackets and
//  footnote marks
//    included; not before a lower-case letter, a comma, a colon or a semicolon, unless space stands
//    before the mark too;
//  - a full stop after an initial ("J. Smith"), a common abbreviation ("Dr. No", "Fig. 3") or the
//  number of a list
//    item does not;
//  - the marks of other scripts (`。`, `！`, `？`, `।`, `؟`, `።` and others) end one with or
//  without white space;
//  - a blank line always does, and so does a line break before a Markdown heading or list item.
// `text` is valid UTF-8; other bytes do no harm but may be cut anywhere.
size_t NextSentence(std::string_view text, size_t begin);

}  // namespace vettore
