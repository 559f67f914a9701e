#include "bench/byte_source.h"

#include <zstd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

#include "base/file.h"
#include "base/status.h"
#include "base/strings.h"

namespace vettore::bench {
namespace {

// More than zstd reaches on vectors; all zeros compress better, and then memory grows as it comes.
constexpr uint64_t kMostExpansion = 1024;

class PlainSource : public ByteSource {
 public:
  PlainSource(std::filesystem::path path, MappedFile file)
      : ByteSource(std::move(path)), file_(std::move(file)) {}

  uint64_t most_left() const override { return file_.bytes().size() - at_; }

 protected:
  absl::StatusOr<size_t> ReadSome(std::span<char> out) override {
    const size_t size = std::min(out.size(), file_.bytes().size() - at_);
    if (size > 0) std::memcpy(out.data(), file_.bytes().data() + at_, size);
    at_ += size;
    return size;
  }

 private:
  const MappedFile file_;
  size_t at_ = 0;
};

class ZstdSource : public ByteSource {
 public:
  ZstdSource(std::filesystem::path path, MappedFile file)
      : ByteSource(std::move(path)),
        file_(std::move(file)),
        stream_(ZSTD_createDStream(), ZSTD_freeDStream),
        input_{file_.bytes().data(), file_.bytes().size(), 0} {}

  uint64_t most_left() const override { return (input_.size - input_.pos + 1) * kMostExpansion; }

 protected:
  absl::StatusOr<size_t> ReadSome(std::span<char> out) override {
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    while (output.pos == 0) {
      const size_t input_before = input_.pos;
      const size_t left = ZSTD_decompressStream(stream_.get(), &output, &input_);
      if (ZSTD_isError(left) != 0) {
        return Malformed(StrCat("the compression is damaged: ", ZSTD_getErrorName(left)));
      }
      if (output.pos > 0 || input_.pos > input_before) {
        inside_frame_ = left != 0;
        continue;
      }
      if (inside_frame_) return Malformed("the compressed file is cut off");
      break;
    }
    return output.pos;
  }

 private:
  const MappedFile file_;
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream_;
  ZSTD_inBuffer input_;
  bool inside_frame_ = false;
};

std::string LowerExtension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> ByteSource::Open(const std::filesystem::path& path) {
  VETTORE_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  if (LowerExtension(path) == ".zst") return std::make_unique<ZstdSource>(path, std::move(file));
  return std::make_unique<PlainSource>(path, std::move(file));
}

absl::Status ByteSource::Read(std::span<char> out) {
  size_t filled = 0;
  if (has_next_ && !out.empty()) {
    out[filled++] = next_;
    has_next_ = false;
  }
  while (filled < out.size()) {
    VETTORE_ASSIGN_OR_RETURN(const size_t read, ReadSome(out.subspan(filled)));
    if (read == 0) {
      return Malformed(StrCat("the file is cut off: it ends at byte ", offset_ + filled, " where ",
                              out.size() - filled, " more are wanted"));
    }
    filled += read;
  }
  offset_ += filled;
  return absl::OkStatus();
}

absl::StatusOr<bool> ByteSource::AtEnd() {
  if (has_next_) return false;
  VETTORE_ASSIGN_OR_RETURN(const size_t read, ReadSome({&next_, 1}));
  has_next_ = read == 1;
  return !has_next_;
}

absl::Status ByteSource::Malformed(std::string_view what) const {
  return absl::InvalidArgumentError(StrCat(path_.string(), ": ", what));
}

std::string DataExtension(const std::filesystem::path& path) {
  const std::string extension = LowerExtension(path);
  return extension == ".zst" ? LowerExtension(path.stem()) : extension;
}

}  // namespace vettore::bench
