// Where exceptions end: nothing of ours throws, what it calls may.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <utility>

#include "tessera/base/result.h"

namespace tessera {

// What `call` returns. An exception is an error: kUnavailable (out of memory), kInternal with its text.
template <class Call>
Result<void> Caught(Call&& call) {
  auto error = [](Code code, std::string message) -> Result<void> {
    return tl::unexpected<Error>(Error{code, std::move(message)});
  };
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return error(Code::kUnavailable, "out of memory");
  } catch (const std::exception& e) {
    return error(Code::kInternal, e.what());
  } catch (...) {
    return error(Code::kInternal, "an exception of unknown type");
  }
}

}  // namespace tessera
