#include "engine/files/safetensors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/check.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/files/problem_list.h"
#include "engine/files/weight_kind.h"

namespace rubato {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::uint64_t kMaxHeader = 16u << 20;
constexpr std::size_t kMaxTensors = 200'000;
constexpr std::size_t kMaxRank = 8;
constexpr std::size_t kLengthField = 8;

std::uint64_t read_length(std::span<const std::byte> head) {
  std::uint64_t value = 0;
  for (std::size_t i = kLengthField; i-- > 0;) value = value << 8 | static_cast<std::uint64_t>(head[i]);
  return value;
}

// The checks that need no JSON. Gives the length of the header.
Result<std::uint64_t> check_length(std::span<const std::byte> head, std::uint64_t file_size, std::string_view source) {
  const auto unfit = [&](std::string why) { return Error{ErrorCode::ModelUnfit, fmt::format("{} {}", source, why)}; };
  if (file_size < kLengthField || head.size() < kLengthField)
    return unfit(fmt::format("is cut off: it has {} bytes, and a safetensors file has at least {}", file_size,
                             kLengthField + 2));
  const std::uint64_t length = read_length(head);
  if (length > kMaxHeader)
    return unfit(fmt::format("names a header of {} bytes; at most {} are allowed", length, kMaxHeader));
  if (length > file_size - kLengthField)
    return unfit(fmt::format("is cut off inside its header: {} bytes of {}; copy or download it again", file_size,
                             kLengthField + length));
  return length;
}

// A non-negative integer of the header.
bool read_count(const json& value, std::uint64_t& out) {
  if (!value.is_number_integer()) return false;
  if (!value.is_number_unsigned() && value.get<std::int64_t>() < 0) return false;
  out = value.get<std::uint64_t>();
  return true;
}

// Product of a shape and an element size without overflow.
bool byte_count(std::span<const std::int64_t> shape, std::size_t element, std::uint64_t& out) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) {  // a zero anywhere, before any product can overflow
    out = 0;
    return true;
  }
  std::uint64_t bytes = element;
  for (const std::int64_t extent : shape)
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) return false;
  out = bytes;
  return bytes <= static_cast<std::uint64_t>(INT64_MAX);
}

std::string shape_text(std::span<const std::int64_t> shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

class HeaderReader {
 public:
  HeaderReader(std::uint64_t data_begin, std::uint64_t file_size) : begin_(data_begin), size_(file_size - data_begin) {}

  void read(const json& root) {
    header.data_begin = begin_;
    for (const auto& [name, value] : root.items()) {
      if (name == "__metadata__") {
        read_metadata(value);
      } else {
        read_tensor(name, value);
      }
    }
    check_coverage();
  }

  SafetensorsHeader header;
  ProblemList problems;

 private:
  void read_metadata(const json& value) {
    if (!value.is_object()) return problems.add("__metadata__ is not an object");
    for (const auto& [key, text] : value.items()) {
      if (text.is_string()) {
        header.metadata.emplace(key, text.get<std::string>());
      } else {
        problems.add(fmt::format("__metadata__ '{}' is not a string", shown_name(key)));
      }
    }
  }

  void read_tensor(const std::string& name, const json& value) {
    const auto bad = [&](std::string why) {
      problems.add(fmt::format("tensor '{}' {}", shown_name(name), why));
      whole_ = false;
    };
    if (!value.is_object()) return bad("is not an object");
    for (const auto& [key, ignored] : value.items())
      if (key != "dtype" && key != "shape" && key != "data_offsets")
        bad(fmt::format("has the unknown key '{}'", shown_name(key)));
    const auto dtype_at = value.find("dtype"), shape_at = value.find("shape"), offsets_at = value.find("data_offsets");
    if (dtype_at == value.end() || shape_at == value.end() || offsets_at == value.end())
      return bad("lacks dtype, shape or data_offsets");

    TensorInfo info;
    bool fine = true;
    const auto dtype = dtype_at->is_string() ? dtype_from_name(dtype_at->get_ref<const std::string&>()) : std::nullopt;
    if (dtype) {
      info.dtype = *dtype;
    } else {
      bad(fmt::format("has the unknown dtype {}", shown_name(dtype_at->dump(-1, ' ', true))));
      fine = false;
    }
    if (!read_shape(*shape_at, info.shape)) {
      bad(fmt::format("has a shape that is not a list of at most {} sizes", kMaxRank));
      fine = false;
    }
    std::uint64_t from = 0, to = 0;
    if (!offsets_at->is_array() || offsets_at->size() != 2 || !read_count((*offsets_at)[0], from) ||
        !read_count((*offsets_at)[1], to))
      return bad("has data_offsets that are not two whole numbers");
    if (from > to) return bad(fmt::format("ends ({}) before it begins ({})", to, from));
    if (to > size_) {
      if (beyond_++ == 0) first_beyond_ = fmt::format("tensor '{}' ends at byte {} of the data", shown_name(name), to);
      fine = false;
    }
    if (dtype && fine) {
      std::uint64_t expected = 0;
      if (!byte_count(info.shape, size_of(info.dtype), expected)) {
        bad(fmt::format("has the impossible shape {}", shape_text(info.shape)));
      } else if (expected != to - from) {
        bad(fmt::format("has {} bytes, and {} of {} need {}", to - from, shape_text(info.shape), dtype_name(info.dtype),
                        expected));
      }
    }
    ranges_.push_back({from, to, &name});
    if (!fine) return;
    info.begin = begin_ + from;
    info.end = begin_ + to;
    header.tensors.emplace(name, std::move(info));
  }

  static bool read_shape(const json& value, std::vector<std::int64_t>& shape) {
    if (!value.is_array() || value.size() > kMaxRank) return false;
    for (const auto& extent : value) {
      std::uint64_t count = 0;
      if (!read_count(extent, count) || count > static_cast<std::uint64_t>(INT64_MAX)) return false;
      shape.push_back(static_cast<std::int64_t>(count));
    }
    return true;
  }

  // The ranges in order must follow each other without gaps or overlaps, from the first byte of the data to the last.
  void check_coverage() {
    std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) {
      return std::tie(a.from, a.to, *a.name) < std::tie(b.from, b.to, *b.name);
    });
    std::uint64_t at = 0;
    const std::string* before = nullptr;
    for (const auto& range : ranges_) {
      if (range.from < at) {
        problems.add(fmt::format("tensors '{}' and '{}' overlap", shown_name(*before), shown_name(*range.name)));
      } else if (range.from > at && whole_) {
        problems.add(
            fmt::format("{} bytes before tensor '{}' belong to no tensor", range.from - at, shown_name(*range.name)));
      }
      if (range.to > at || before == nullptr) before = range.name;
      at = std::max(at, range.to);
    }
    if (beyond_ > 0)
      problems.add(fmt::format("{}{}, the file holds {} (is it cut off?)", first_beyond_,
                               beyond_ > 1 ? fmt::format(" and {} more lie beyond it", beyond_ - 1) : "", size_));
    if (at < size_ && whole_) problems.add(fmt::format("{} bytes at the end belong to no tensor", size_ - at));
  }

  struct Range {
    std::uint64_t from, to;
    const std::string* name;  // a key of the JSON tree, which outlives this object
  };
  std::uint64_t begin_, size_;
  std::vector<Range> ranges_;
  bool whole_ = true;         // every tensor had a range, so that gaps mean something
  std::size_t beyond_ = 0;    // tensors that leave the file
  std::string first_beyond_;  // what is said of the first
};

}  // namespace

Result<SafetensorsHeader> parse_safetensors_header(std::span<const std::byte> head, std::uint64_t file_size,
                                                   std::string_view source) {
  RUBATO_TRY(length, check_length(head, file_size, source));
  RUBATO_CHECK(head.size() >= kLengthField + length, "the caller reads the whole header");
  const std::string_view text(reinterpret_cast<const char*>(head.data()) + kLengthField,
                              static_cast<std::size_t>(length));

  const auto unfit = [&](std::string why) { return Error{ErrorCode::ModelUnfit, fmt::format("{} {}", source, why)}; };
  if (!text.starts_with('{')) return unfit("has a header that is not a JSON object");

  std::vector<std::string> twice;
  JsonLimits limits;
  limits.max_bytes = kMaxHeader;
  limits.max_depth = 8;
  limits.duplicates = &twice;
  RUBATO_TRY(root, parse_json(text, fmt::format("{}, header", source), limits, ErrorCode::ModelUnfit));
  const std::size_t count = root.size() - (root.contains("__metadata__") ? 1 : 0);
  if (count > kMaxTensors) return unfit(fmt::format("names {} tensors; at most {} are allowed", count, kMaxTensors));

  HeaderReader reader(kLengthField + length, file_size);
  for (const auto& key : twice) reader.problems.add(fmt::format("the name '{}' stands twice", shown_name(key)));
  reader.read(root);
  if (!reader.problems.empty())
    return reader.problems.error(ErrorCode::ModelUnfit, fmt::format("{} is damaged", source));
  return std::move(reader.header);
}

Result<SafetensorsHeader> read_safetensors_header(const fs::path& path) {
  const auto fail = [&](int code) {
    return Error{ErrorCode::CannotRead, fmt::format("cannot read {}: {}", path.string(), std::strerror(code))};
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail(errno);
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};
  struct stat info{};
  if (::fstat(fd, &info) != 0) return fail(errno);
  if (!S_ISREG(info.st_mode))
    return Error{ErrorCode::CannotRead, fmt::format("{} is not a regular file", path.string())};

  std::vector<std::byte> head(4096);
  std::size_t have = 0;
  // Reads until `head` is full or the file ends.
  const auto fill = [&]() -> Result<> {
    while (have < head.size()) {
      const ssize_t got = ::pread(fd, head.data() + have, head.size() - have, static_cast<off_t>(have));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(errno);
      if (got == 0) break;
      have += static_cast<std::size_t>(got);
    }
    return {};
  };
  RUBATO_OK(fill());
  if (const auto kind = sniff_weights(std::span(head).first(have)); kind != WeightKind::Safetensors)
    return refuse_weights(kind, path);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  RUBATO_TRY(length, check_length(std::span(head).first(have), size, path.string()));
  head.resize(kLengthField + static_cast<std::size_t>(length));
  have = std::min(have, head.size());
  RUBATO_OK(fill());
  if (have < head.size())
    return Error{ErrorCode::CannotRead, fmt::format("{} became shorter while it was read", path.string())};
  return parse_safetensors_header(head, size, path.string());
}

Result<SafetensorsFile> SafetensorsFile::open(const fs::path& path) {
  RUBATO_TRY(file, MappedFile::open(path));
  const auto bytes = file.bytes();
  const auto kind = sniff_weights(bytes.first(std::min<std::size_t>(bytes.size(), 512)));
  if (kind != WeightKind::Safetensors) return refuse_weights(kind, path);
  RUBATO_TRY(header, parse_safetensors_header(bytes, bytes.size(), path.string()));
  return SafetensorsFile(std::move(file), std::move(header));
}

const TensorInfo* SafetensorsFile::find(const std::string& name) const {
  const auto at = header_.tensors.find(name);
  return at == header_.tensors.end() ? nullptr : &at->second;
}

std::span<const std::byte> SafetensorsFile::bytes(const TensorInfo& info) const {
  const auto all = file_.bytes();
  RUBATO_CHECK(info.begin <= info.end && info.end <= all.size(), "a tensor of another file");
  return all.subspan(info.begin, info.end - info.begin);
}

bool SafetensorsFile::is_aligned(const TensorInfo& info) const { return info.begin % size_of(info.dtype) == 0; }

Result<> write_safetensors(const fs::path& path, std::span<const NamedTensor> tensors,
                           const std::map<std::string, std::string>& metadata, Overwrite overwrite) {
  std::vector<const NamedTensor*> order;
  std::set<std::string_view> names;
  for (const auto& tensor : tensors) {
    std::uint64_t expected = 0;
    RUBATO_CHECK(byte_count(tensor.shape, size_of(tensor.dtype), expected) && expected == tensor.data.size(), "tensor ",
                 tensor.name, " has ", tensor.data.size(), " bytes, not those of its shape");
    RUBATO_CHECK(names.insert(tensor.name).second && tensor.name != "__metadata__", "tensor name ", tensor.name,
                 " is taken");
    order.push_back(&tensor);
  }
  // Large elements first keeps every tensor aligned without padding, which the format does not allow.
  std::sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    const auto size_a = size_of(a->dtype), size_b = size_of(b->dtype);
    return size_a != size_b ? size_a > size_b : a->name < b->name;
  });

  json header = json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t at = 0;
  for (const auto* tensor : order) {
    header[tensor->name] = {{"dtype", dtype_name(tensor->dtype)},
                            {"shape", tensor->shape},
                            {"data_offsets", {at, at + tensor->data.size()}}};
    at += tensor->data.size();
  }
  std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  RUBATO_CHECK(text.size() <= kMaxHeader && tensors.size() <= kMaxTensors, "a header of ", text.size(), " bytes");
  std::string length(kLengthField, '\0');
  for (std::size_t i = 0; i < kLengthField; ++i) length[i] = static_cast<char>(text.size() >> (8 * i) & 0xFF);

  RUBATO_TRY(file, AtomicFile::create(path, overwrite));
  RUBATO_OK(file.write(length + text));
  for (const auto* tensor : order) RUBATO_OK(file.write(tensor->data));
  return file.commit();
}

}  // namespace rubato
