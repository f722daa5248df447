#include "tessera/base/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cassert>

#include "tessera/base/file.h"

namespace tessera {
namespace {

// No exit handler and no configuration file: this code also lives in a library that a server loads and
// unloads.
void InitOnce() {
  static const int done = OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  assert(done == 1);
  (void)done;
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// SHA-256 of libcrypto fails only without memory, as operator new does, and then in the same way.
void Require(int openssl_result) {
  if (openssl_result != 1) throw std::bad_alloc();
}

}  // namespace

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, FreeContext> context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  InitOnce();
  state_->context.reset(EVP_MD_CTX_new());
  Require(state_->context != nullptr);
  Require(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr));
}

Sha256::~Sha256() = default;

void Sha256::Update(Bytes bytes) {
  Require(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()));
}

std::string Sha256::Hex() {
  std::array<unsigned char, 32> digest{};
  Require(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr));
  std::string hex;
  for (unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

Result<std::string> Sha256OfFile(const std::filesystem::path& file) {
  TRY_ASSIGN(std::shared_ptr<const MappedFile> mapped, MappedFile::Open(file));
  Sha256 hash;
  hash.Update(mapped->bytes());
  return hash.Hex();
}

}  // namespace tessera
