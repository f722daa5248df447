// Where OpenVINO's exceptions end. Private to the adapter.
#pragma once

#include <exception>
#include <openvino/runtime/exception.hpp>
#include <string>
#include <string_view>

#include "tessera/base/result.h"

namespace tessera::engine::openvino {

// OpenVINO's many-line explanation as one line, without its source places.
std::string OneLine(std::string_view what);

// Calls `body`, which gives a Result; an exception becomes an error of `code` that begins with `doing`.
template <class Body>
auto Guard(Code code, const std::string& doing, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const ov::Cancelled&) {
    return Fail(Code::kCancelled, "{}: cancelled", doing);
  } catch (const std::exception& error) {
    return Fail(code, "{}: {}", doing, OneLine(error.what()));
  }
}

}  // namespace tessera::engine::openvino
