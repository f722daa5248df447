// Failure as a value: Result<T>, Error, and the macros that pass an error on.
#pragma once

#include <fmt/core.h>

#include <string>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace tessera {

// 1:1 to TRITONSERVER_ERROR_*, plus kDeadline and kPeerLost.
enum class Code {
  kUnknown,
  kInternal,
  kNotFound,
  kInvalidArgument,
  kUnavailable,
  kUnsupported,
  kAlreadyExists,
  kCancelled,
  kDeadline,  // did not finish in its time
  kPeerLost,  // another rank failed or left; the group is unusable
};

// "invalid argument", "deadline exceeded", ...
const char* CodeName(Code code);

struct Error {
  Code code = Code::kUnknown;
  std::string message;        // names the thing, the got and the wanted
  int rank = -1;              // the rank that failed first; -1 = none in particular
  const char* file = nullptr; // where it was made
  int line = 0;

  // "rank 2: input 'ids' is [4,7], plan wants [4,8]" (the rank only when known and not named yet).
  std::string ToString() const;
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

// Where a call was made, and its format string; made implicitly from the literal, and checked against `Args` by the
// compiler: a message must not fail while something else is failing.
template <class... Args>
struct FormatHere {
  template <size_t N>
  // NOLINTNEXTLINE(google-explicit-constructor): call sites write a plain literal
  FMT_CONSTEVAL FormatHere(const char (&text)[N], const char* at_file = __builtin_FILE(),
                           int at_line = __builtin_LINE())
      : format(text), file(at_file), line(at_line) {}
  fmt::format_string<Args...> format;
  const char* file;
  int line;
};

// return Fail(Code::kNotFound, "no file '{}'", path);
template <class... Args>
tl::unexpected<Error> Fail(Code code, FormatHere<std::type_identity_t<const Args&>...> format, const Args&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format.format, args...), -1, format.file, format.line});
}

// The error of a failed result, to be returned as another Result type.
template <class T>
tl::unexpected<Error> Forward(Result<T>&& failed) {
  return tl::unexpected<Error>(std::move(failed).error());
}

}  // namespace tessera

#define TESSERA_CONCAT_INNER(a, b) a##b
#define TESSERA_CONCAT(a, b) TESSERA_CONCAT_INNER(a, b)

// TRY(expression giving a Result): returns its error from the enclosing function.
#define TRY(...)                                                     \
  do {                                                               \
    auto tessera_try_result = (__VA_ARGS__);                         \
    if (!tessera_try_result) {                                       \
      return ::tessera::Forward(std::move(tessera_try_result));      \
    }                                                                \
  } while (false)

// TRY_ASSIGN(Type name, expression giving a Result<Type>): the value, or returns the error.
#define TRY_ASSIGN(declaration, ...) \
  TESSERA_TRY_ASSIGN(TESSERA_CONCAT(tessera_result_, __LINE__), declaration, __VA_ARGS__)
#define TESSERA_TRY_ASSIGN(result, declaration, ...)         \
  auto result = (__VA_ARGS__);                               \
  if (!result) return ::tessera::Forward(std::move(result)); \
  declaration = *std::move(result)
