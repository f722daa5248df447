#include "tessera/base/shared_library.h"

#include <dlfcn.h>

namespace tessera {

void LibraryTraits::Close(Handle handle) noexcept {
  dlclose(handle);
}

Result<SharedLibrary> SharedLibrary::Open(const std::vector<std::string>& names) {
  std::string reason = "no name";
  for (const std::string& name : names) {
    SharedLibrary library;
    library.handle_.Reset(dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE));
    library.name_ = name;
    if (library.handle_) return library;
    const char* error = dlerror();
    reason = error == nullptr ? "unknown" : error;
  }
  return Fail(Code::kNotFound, "{}", reason);
}

void* SharedLibrary::FindAddress(const char* symbol) const {
  return dlsym(handle_.get(), symbol);
}

}  // namespace tessera
