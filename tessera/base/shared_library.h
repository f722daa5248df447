// A library that may or may not be installed, opened at run time.
#pragma once

#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/unique_handle.h"

namespace tessera {

struct LibraryTraits {
  using Handle = void*;
  static constexpr Handle kNone = nullptr;
  static void Close(Handle handle) noexcept;
};

class SharedLibrary {
 public:
  // The first of `names` that the loader finds; it stays loaded when this is gone, for it may have begun
  // threads. Errors: kNotFound (the line has the loader's reason).
  static Result<SharedLibrary> Open(const std::vector<std::string>& names);

  const std::string& name() const { return name_; }

  // The function `symbol` of type `Function`; null when the library has none.
  template <class Function>
  Function* Find(const char* symbol) const {
    return reinterpret_cast<Function*>(FindAddress(symbol));
  }

 private:
  void* FindAddress(const char* symbol) const;
  UniqueHandle<LibraryTraits> handle_;
  std::string name_;
};

}  // namespace tessera
