#include "tessera/cli/npz.h"

#include <algorithm>
#include <cstring>

#include <zlib.h>

#include "tessera/base/file.h"

namespace tessera::cli {
namespace {

constexpr uint32_t kEndOfDirectory = 0x06054b50;
constexpr uint32_t kDirectoryEntry = 0x02014b50;
constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr size_t kEndSize = 22;
constexpr size_t kEntrySize = 46;
constexpr size_t kLocalSize = 30;
constexpr uint32_t kIn64 = 0xffffffff;  // the number stands in the zip64 field

// A member as the central directory tells it.
struct Entry {
  std::string name;
  uint16_t method = 0;
  uint64_t packed = 0;
  uint64_t size = 0;
  uint64_t local = 0;  // offset of its local header
};

class Zip {
 public:
  Zip(Bytes bytes, std::string file) : bytes_(bytes), file_(std::move(file)) {}

  Result<std::vector<Entry>> Entries() const;
  Result<std::vector<std::byte>> Read(const Entry& entry) const;

 private:
  // Little-endian number at `at`; the caller has checked the bounds.
  template <class T>
  T Number(uint64_t at) const {
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof(T));
    return value;
  }
  bool Has(uint64_t at, uint64_t size) const { return at <= bytes_.size() && size <= bytes_.size() - at; }
  tl::unexpected<Error> Damaged(const char* what) const {
    return Fail(Code::kInvalidArgument, "'{}' is not a whole .npz file: {}", file_, what);
  }
  Result<uint64_t> EndOfDirectory() const;
  void ReadZip64(Entry& entry, uint64_t extra, uint64_t length) const;

  Bytes bytes_;
  std::string file_;
};

// The end record stands last, before a comment of at most 64 KiB.
Result<uint64_t> Zip::EndOfDirectory() const {
  if (bytes_.size() < kEndSize) return Damaged("too short");
  const uint64_t last = bytes_.size() - kEndSize;
  const uint64_t first = last > 0xffff ? last - 0xffff : 0;
  for (uint64_t at = last + 1; at-- > first;) {
    if (Number<uint32_t>(at) == kEndOfDirectory) return at;
  }
  return Damaged("no zip directory");
}

// Sizes and offset that do not fit 32 bits stand in the extra field 1, in this order, only those that do not
// fit.
void Zip::ReadZip64(Entry& entry, uint64_t extra, uint64_t length) const {
  const uint64_t end = extra + length;
  while (extra + 4 <= end) {
    const auto id = Number<uint16_t>(extra);
    const uint64_t next = std::min<uint64_t>(end, extra + 4 + Number<uint16_t>(extra + 2));
    uint64_t at = extra + 4;
    if (id == 1) {
      for (uint64_t* field : {&entry.size, &entry.packed, &entry.local}) {
        if (*field != kIn64 || at + 8 > next) continue;
        *field = Number<uint64_t>(at);
        at += 8;
      }
    }
    extra = next;
  }
}

Result<std::vector<Entry>> Zip::Entries() const {
  TRY_ASSIGN(const uint64_t end, EndOfDirectory());
  const auto count = Number<uint16_t>(end + 10);
  uint64_t at = Number<uint32_t>(end + 16);
  std::vector<Entry> entries;
  for (uint16_t i = 0; i < count; ++i) {
    if (!Has(at, kEntrySize) || Number<uint32_t>(at) != kDirectoryEntry)
      return Damaged("bad directory entry");
    Entry entry{"", Number<uint16_t>(at + 10), Number<uint32_t>(at + 20), Number<uint32_t>(at + 24),
                Number<uint32_t>(at + 42)};
    const auto name = Number<uint16_t>(at + 28);
    const auto extra = Number<uint16_t>(at + 30);
    const uint64_t size = kEntrySize + name + extra + Number<uint16_t>(at + 32);
    if (!Has(at, size)) return Damaged("bad directory entry");
    entry.name.assign(reinterpret_cast<const char*>(bytes_.data() + at + kEntrySize), name);
    ReadZip64(entry, at + kEntrySize + name, extra);
    entries.push_back(std::move(entry));
    at += size;
  }
  return entries;
}

Result<std::vector<std::byte>> Inflate(Bytes packed, uint64_t size, const std::string& name) {
  // A deflated stream grows at most 1032 times: refuse a header that would allocate more.
  if (size / 1032 > packed.size() + 1)
    return Fail(Code::kInvalidArgument, "array '{}' cannot be unpacked", name);
  std::vector<std::byte> content(size);
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(content.data());
  stream.avail_out = static_cast<uInt>(content.size());
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return Fail(Code::kInternal, "zlib does not start");
  const int code = inflate(&stream, Z_FINISH);
  const bool whole = code == Z_STREAM_END && stream.total_out == size;
  inflateEnd(&stream);
  if (!whole) return Fail(Code::kInvalidArgument, "array '{}' cannot be unpacked", name);
  return content;
}

Result<std::vector<std::byte>> Zip::Read(const Entry& entry) const {
  if (!Has(entry.local, kLocalSize) || Number<uint32_t>(entry.local) != kLocalHeader)
    return Damaged("bad member");
  const uint64_t start =
      entry.local + kLocalSize + Number<uint16_t>(entry.local + 26) + Number<uint16_t>(entry.local + 28);
  if (!Has(start, entry.packed)) return Damaged("truncated");
  Bytes packed = bytes_.subspan(start, entry.packed);
  if (entry.method == 0) return std::vector<std::byte>(packed.begin(), packed.end());
  const bool fits = packed.size() <= UINT32_MAX && entry.size <= UINT32_MAX;
  if (entry.method == Z_DEFLATED && fits) return Inflate(packed, entry.size, entry.name);
  return Fail(Code::kInvalidArgument, "'{}': array '{}' is packed by method {} ({} bytes); use numpy.savez",
              file_, entry.name, entry.method, entry.size);
}

}  // namespace

Result<std::vector<HostTensor>> ReadNpz(const std::filesystem::path& file) {
  TRY_ASSIGN(auto mapped, MappedFile::Open(file));
  Zip zip(mapped->bytes(), file.string());
  TRY_ASSIGN(std::vector<Entry> entries, zip.Entries());
  std::vector<HostTensor> tensors;
  for (const Entry& entry : entries) {
    TRY_ASSIGN(std::vector<std::byte> content, zip.Read(entry));
    std::string name = entry.name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    auto tensor = ParseNpy(name, content);
    if (!tensor) return Fail(Code::kInvalidArgument, "'{}': {}", file.string(), tensor.error().message);
    tensors.push_back(*std::move(tensor));
  }
  return tensors;
}

}  // namespace tessera::cli
