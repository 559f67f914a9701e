#include "server/settings.h"

#include <array>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "base/strings.h"

namespace vettore {
namespace {

constexpr uint64_t kKilobyte = 1024;
constexpr uint64_t kMegabyte = 1024 * kKilobyte;
constexpr uint64_t kGigabyte = 1024 * kMegabyte;
constexpr std::array<std::pair<std::string_view, uint64_t>, 3> kByteSuffixes = {
    {{"KB", kKilobyte}, {"MB", kMegabyte}, {"GB", kGigabyte}}};

constexpr std::array kSettings = {
    Setting{
        .name = "listen",
        .field = &ServerOptions::listen,
        .help =
            "Where the gRPC API listens: host:port, [IPv6 address]:port, or unix:/path of a socket "
            "that only this user may open. Port 0 takes a free one."},
    Setting{
        .name = "insecure_remote",
        .field = &ServerOptions::insecure_remote,
        .help =
            "Allows a listen address beyond loopback although requests are neither encrypted nor "
            "authenticated: everyone who reaches the port can read and delete everything."},
    Setting{
        .name = "data_dir",
        .field = &ServerOptions::data_dir,
        .help = "The data directory; made when it is not there. One process at a time opens it."},
    Setting{
        .name = "accept_data_loss",
        .field = &ServerOptions::accept_data_loss,
        .help =
            "Opens a data directory that has lost acknowledged writes, without them. The log says "
            "which. Leave it off once the server has started."},
    Setting{.name = "models_dir",
            .field = &ServerOptions::models_dir,
            .help =
                "Holds one folder for each embedding model, in Hugging Face's layout. A leading "
                "~/ stands for the home directory."},
    Setting{.name = "threads",
            .field = &ServerOptions::threads,
            .help = "Threads for reads: searches, gets, counts. 0: one a CPU.",
            .min = 0,
            .max = 1'024},
    Setting{
        .name = "write_threads",
        .field = &ServerOptions::write_threads,
        .help =
            "Threads for writes and bulk embedding. 0: one a CPU, at least 4: concurrent writes "
            "share an fsync.",
        .min = 0,
        .max = 1'024},
    Setting{.name = "max_message_bytes",
            .field = &ServerOptions::max_message_bytes,
            .help = "The largest request and the largest reply.",
            .min = kMegabyte,
            .max = kGigabyte,
            .unit = NumberUnit::kBytes},
    Setting{.name = "block_cache_bytes",
            .field = &ServerOptions::block_cache_bytes,
            .help = "The store's cache of disk blocks.",
            .min = kMegabyte,
            .max = 1024 * kGigabyte,
            .unit = NumberUnit::kBytes},
    Setting{.name = "index_memory_bytes",
            .field = &ServerOptions::index_memory_bytes,
            .help =
                "What the codes and links of one graph should fit in: where the quantization is "
                "auto, a "
                "graph that would take more gets coarser codes when it begins, and is rebuilt with "
                "them "
                "when it outgrows it. 0: a quarter of the memory of the machine or control group.",
            .min = 0,
            .max = 1024 * kGigabyte,
            .unit = NumberUnit::kBytes},
    Setting{.name = "queue_requests",
            .field = &ServerOptions::queue_requests,
            .help = "Reads that may wait for a thread, and as many writes; past it a request gets "
                    "RESOURCE_EXHAUSTED.",
            .min = 1,
            .max = 1'000'000},
    Setting{
        .name = "queue_bytes",
        .field = &ServerOptions::queue_bytes,
        .help =
            "Size of all requests that wait or run; past it a request gets RESOURCE_EXHAUSTED. At "
            "least max_message_bytes.",
        .min = kMegabyte,
        .max = 1024 * kGigabyte,
        .unit = NumberUnit::kBytes},
    Setting{.name = "stream_credits",
            .field = &ServerOptions::stream_credits,
            .help = "Batches that a client may have unanswered in one ingestion stream.",
            .min = 1,
            .max = 64},
    Setting{.name = "slow_request_ms",
            .field = &ServerOptions::slow_request_ms,
            .help = "A request that takes longer is logged as a warning. 0: never.",
            .min = 0,
            .max = 3'600'000},
    Setting{.name = "grace_seconds",
            .field = &ServerOptions::grace_seconds,
            .help = "How long requests in flight may go on after SIGTERM or SIGINT.",
            .min = 0,
            .max = 3'600},
    Setting{.name = "log_level",
            .field = &ServerOptions::log_level,
            .help = "The least severe events that are logged; debug logs every request."},
    Setting{.name = "log_format",
            .field = &ServerOptions::log_format,
            .help = "How a line of the log is written."},
};

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

std::string BytesText(uint64_t bytes) {
  if (bytes >= kGigabyte && bytes % kGigabyte == 0) return StrCat(bytes / kGigabyte, "GB");
  if (bytes >= kMegabyte && bytes % kMegabyte == 0) return StrCat(bytes / kMegabyte, "MB");
  if (bytes >= kKilobyte && bytes % kKilobyte == 0) return StrCat(bytes / kKilobyte, "KB");
  return StrCat(bytes);
}

std::string NumberText(const Setting& setting, uint64_t number) {
  return setting.unit == NumberUnit::kBytes ? BytesText(number) : StrCat(number);
}

std::string_view LevelText(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "";
}

std::string_view FormatText(LogFormat format) {
  switch (format) {
    case LogFormat::kLogfmt:
      return "logfmt";
    case LogFormat::kJson:
      return "json";
  }
  return "";
}

// What was got, short and printable.
std::string Shown(std::string_view text) { return absl::CHexEscape(AbslView(text.substr(0, 100))); }

absl::Status Unreadable(const Setting& setting, std::string_view text) {
  return absl::InvalidArgumentError(
      StrCat("expects ", setting.TypeText(), ", got '", Shown(text), "'"));
}

absl::Status SetNumber(const Setting& setting, std::string_view text, uint64_t& number) {
  uint64_t scale = 1;
  std::string_view digits = text;
  if (setting.unit == NumberUnit::kBytes) {
    for (const auto& [suffix, bytes] : kByteSuffixes) {
      if (!digits.ends_with(suffix)) continue;
      digits.remove_suffix(suffix.size());
      scale = bytes;
      break;
    }
  }
  uint64_t parsed = 0;
  if (digits.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(digits.front())) ||
      !absl::SimpleAtoi(AbslView(digits), &parsed) ||
      parsed > std::numeric_limits<uint64_t>::max() / scale) {
    return Unreadable(setting, text);
  }
  if (parsed * scale < setting.min || parsed * scale > setting.max)
    return Unreadable(setting, text);
  number = parsed * scale;
  return absl::OkStatus();
}

absl::Status SetFlag(const Setting& setting, std::string_view text, bool& flag) {
  if (text != "true" && text != "false") return Unreadable(setting, text);
  flag = text == "true";
  return absl::OkStatus();
}

absl::Status SetLevel(const Setting& setting, std::string_view text, LogLevel& level) {
  for (const LogLevel candidate :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (text == LevelText(candidate)) {
      level = candidate;
      return absl::OkStatus();
    }
  }
  return Unreadable(setting, text);
}

absl::Status SetFormat(const Setting& setting, std::string_view text, LogFormat& format) {
  for (const LogFormat candidate : {LogFormat::kLogfmt, LogFormat::kJson}) {
    if (text == FormatText(candidate)) {
      format = candidate;
      return absl::OkStatus();
    }
  }
  return Unreadable(setting, text);
}

}  // namespace

std::string Setting::FlagName() const {
  return StrCat("--", absl::StrReplaceAll(AbslView(name), {{"_", "-"}}));
}

std::string Setting::EnvironmentName() const {
  return StrCat("VETTORE_", absl::AsciiStrToUpper(AbslView(name)));
}

std::string Setting::DefaultText() const {
  const ServerOptions defaults;
  return std::visit(
      Overloaded{
          [&](std::string ServerOptions::*at) { return defaults.*at; },
          [&](bool ServerOptions::*at) { return std::string(defaults.*at ? "true" : "false"); },
          [&](uint64_t ServerOptions::*at) { return NumberText(*this, defaults.*at); },
          [&](LogLevel ServerOptions::*at) { return std::string(LevelText(defaults.*at)); },
          [&](LogFormat ServerOptions::*at) { return std::string(FormatText(defaults.*at)); },
      },
      field);
}

std::string Setting::TypeText() const {
  return std::visit(
      Overloaded{
          [](std::string ServerOptions::*) { return std::string("text"); },
          [](bool ServerOptions::*) { return std::string("true or false"); },
          [&](uint64_t ServerOptions::*) {
            return StrCat(unit == NumberUnit::kBytes ? "bytes (or KB, MB, GB), " : "an integer, ",
                          NumberText(*this, min), " to ", NumberText(*this, max));
          },
          [](LogLevel ServerOptions::*) { return std::string("debug, info, warning or error"); },
          [](LogFormat ServerOptions::*) { return std::string("logfmt or json"); },
      },
      field);
}

absl::Status Setting::Set(ServerOptions& options, std::string_view text) const {
  return std::visit(
      Overloaded{
          [&](std::string ServerOptions::*at) {
            if (text.empty() || text.find('\0') != std::string_view::npos)
              return Unreadable(*this, text);
            options.*at = std::string(text);
            return absl::OkStatus();
          },
          [&](bool ServerOptions::*at) { return SetFlag(*this, text, options.*at); },
          [&](uint64_t ServerOptions::*at) { return SetNumber(*this, text, options.*at); },
          [&](LogLevel ServerOptions::*at) { return SetLevel(*this, text, options.*at); },
          [&](LogFormat ServerOptions::*at) { return SetFormat(*this, text, options.*at); },
      },
      field);
}

std::span<const Setting> SettingsTable() { return kSettings; }

const Setting* FindSetting(std::string_view name) {
  for (const Setting& setting : kSettings) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

std::string SettingsMarkdown() {
  std::string out =
      "# Configuration\n\n"
      "`vettore serve` takes each setting from a flag, from an environment variable or from a "
      "file. Flags win over the\n"
      "environment, the environment over the file, the file over the default.\n\n"
      "The file is named by `--config` or by `VETTORE_CONFIG`. It holds lines `name = value`; `#` "
      "opens a comment, and a\n"
      "value may stand in double quotes. A line that is not understood is an error, with its "
      "number.\n\n"
      "    listen = 127.0.0.1:6320\n"
      "    data_dir = \"/srv/vettore\"  # made when it is not there\n"
      "    max_message_bytes = 64MB\n\n"
      "| setting | default | values | what it does |\n"
      "|---|---|---|---|\n";
  for (const Setting& setting : kSettings) {
    StrAppend(&out, "| `", setting.name, "`<br>`", setting.FlagName(), "`<br>`",
              setting.EnvironmentName());
    StrAppend(&out, "` | `", setting.DefaultText(), "` | ", setting.TypeText(), " | ", setting.help,
              " |\n");
  }
  return out;
}

}  // namespace vettore
