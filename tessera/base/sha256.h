// SHA-256 by OpenSSL's libcrypto.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void Update(Bytes bytes);
  std::string Hex();  // 64 lower-case digits; ends the computation

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Result<std::string> Sha256OfFile(const std::filesystem::path& file);

}  // namespace tessera
