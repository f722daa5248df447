#include "tessera/graph/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "tessera/base/temporary_name.h"

namespace tessera::graph {
namespace {

constexpr size_t kPendingBytes = size_t{1} << 20;

}  // namespace

Result<OutputFile> OutputFile::Create(const std::filesystem::path& file) {
  std::filesystem::path temporary = TemporaryBeside(file);
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!fd) return FailErrno("create", file, errno);
  return OutputFile(file, std::move(temporary), std::move(fd));
}

OutputFile::~OutputFile() {
  if (fd_) ::unlink(temporary_.c_str());
}

Result<void> OutputFile::WriteThrough(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FailErrno("write", file_, errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

Result<void> OutputFile::Flush() {
  TRY(WriteThrough(std::as_bytes(std::span(pending_))));
  pending_.clear();
  return {};
}

Result<void> OutputFile::Write(Bytes bytes) {
  if (pending_.size() + bytes.size() > kPendingBytes) TRY(Flush());
  if (bytes.size() > kPendingBytes) return WriteThrough(bytes);
  pending_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return {};
}

Result<void> OutputFile::Commit() {
  TRY(Flush());
  if (::fsync(fd_.get()) != 0) return FailErrno("sync", file_, errno);
  if (::rename(temporary_.c_str(), file_.c_str()) != 0) return FailErrno("write", file_, errno);
  fd_.Reset();
  return Sync(temporary_.parent_path());
}

}  // namespace tessera::graph
