#include "tessera/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tessera/base/log.h"
#include "tessera/base/posix.h"
#include "tessera/base/temporary_name.h"

namespace tessera {
namespace {

namespace fs = std::filesystem;

Result<size_t> SizeOfRegular(const UniqueFd& fd, const fs::path& file) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return FailErrno("stat", file, errno);
  if (S_ISDIR(info.st_mode))
    return Fail(Code::kInvalidArgument, "'{}' is a directory, not a file", file.string());
  if (!S_ISREG(info.st_mode))
    return Fail(Code::kInvalidArgument, "'{}' is not a regular file", file.string());
  return static_cast<size_t>(info.st_size);
}

Result<void> WriteAll(const UniqueFd& fd, std::string_view content, const fs::path& file) {
  while (!content.empty()) {
    ssize_t written = ::write(fd.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FailErrno("write", file, errno);
    content.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

// Removes a file unless it was kept.
class Leftover {
 public:
  explicit Leftover(fs::path file) : file_(std::move(file)) {}
  ~Leftover() {
    if (!file_.empty()) ::unlink(file_.c_str());
  }
  Leftover(const Leftover&) = delete;
  Leftover& operator=(const Leftover&) = delete;
  void Keep() { file_.clear(); }

 private:
  fs::path file_;
};

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::Open(const fs::path& file) {
  TRY_ASSIGN(UniqueFd fd, OpenForReading(file));
  TRY_ASSIGN(size_t size, SizeOfRegular(fd, file));
  Bytes bytes;
  if (size > 0) {  // mmap refuses an empty file
    void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (start == MAP_FAILED) return FailErrno("map", file, errno);
    bytes = Bytes(static_cast<const std::byte*>(start), size);
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(bytes));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

Result<std::string> ReadFile(const fs::path& file) {
  TRY_ASSIGN(UniqueFd fd, OpenForReading(file));
  TRY_ASSIGN(size_t size, SizeOfRegular(fd, file));
  std::string content;
  content.reserve(size);
  std::array<char, 65536> buffer{};  // until the end, not `size`: files of /proc say 0
  for (;;) {
    ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno("read", file, errno);
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<size_t>(got));
  }
}

Result<void> WriteFileAtomically(const fs::path& file, std::string_view content) {
  const fs::path temporary = TemporaryBeside(file);
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!fd) return FailErrno("create", temporary, errno);
  Leftover leftover(temporary);
  TRY(WriteAll(fd, content, temporary));
  if (::fsync(fd.get()) != 0) return FailErrno("sync", temporary, errno);
  fd.Reset();
  if (::rename(temporary.c_str(), file.c_str()) != 0) return FailErrno("write", file, errno);
  leftover.Keep();
  return Sync(temporary.parent_path());
}

}  // namespace tessera
