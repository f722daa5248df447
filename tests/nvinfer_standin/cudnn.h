// The cuDNN library, for attention.
#pragma once

#include <memory>

#include "tessera/base/result.h"

struct cudnnContext;

namespace tessera::standin {

// A cuDNN handle on the device that was current when it was made. One thread at a time.
class Cudnn {
 public:
  // Errors: kUnavailable (cuDNN is not there, or does not like the device).
  static Result<std::shared_ptr<Cudnn>> Create();
  ~Cudnn();
  Cudnn(const Cudnn&) = delete;
  Cudnn& operator=(const Cudnn&) = delete;
  cudnnContext* get() const { return handle_; }

 private:
  explicit Cudnn(cudnnContext* handle) : handle_(handle) {}
  cudnnContext* handle_;
};

}  // namespace tessera::standin
