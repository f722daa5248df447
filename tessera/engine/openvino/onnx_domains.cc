#include "tessera/engine/openvino/onnx_domains.h"

#include <optional>

namespace tessera::engine::openvino {
namespace {

constexpr uint64_t kOpsetImport = 8;
constexpr uint64_t kDomain = 1;

// One field after the other of a protobuf message, without its schema.
class Fields {
 public:
  explicit Fields(Bytes message) : rest_(message) {}

  bool done() const { return rest_.empty(); }

  // Steps over the next field: its number, and its bytes when it has a length. False: malformed.
  bool Next(uint64_t& number, Bytes& content) {
    uint64_t key = 0;
    uint64_t length = 0;
    if (!Varint(key)) return false;
    number = key >> 3;
    content = {};
    switch (key & 7) {
      case 0:
        return Varint(length);
      case 1:
        return Take(8, content);
      case 2:
        return Varint(length) && Take(length, content);
      case 5:
        return Take(4, content);
      default:
        return false;
    }
  }

 private:
  bool Varint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint64_t>(rest_.front());
      rest_ = rest_.subspan(1);
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }

  bool Take(uint64_t count, Bytes& content) {
    if (count > rest_.size()) return false;
    content = rest_.first(count);
    rest_ = rest_.subspan(count);
    return true;
  }

  Bytes rest_;
};

std::optional<std::string> DomainOf(Bytes opset) {
  std::string domain;
  Fields fields(opset);
  while (!fields.done()) {
    uint64_t number = 0;
    Bytes content;
    if (!fields.Next(number, content)) return std::nullopt;
    if (number == kDomain) domain.assign(reinterpret_cast<const char*>(content.data()), content.size());
  }
  return domain;
}

}  // namespace

Result<std::set<std::string>> OnnxDomains(Bytes model) {
  std::set<std::string> domains;
  Fields fields(model);
  while (!fields.done()) {
    uint64_t number = 0;
    Bytes content;
    if (!fields.Next(number, content)) return Fail(Code::kInvalidArgument, "not an ONNX file");
    if (number != kOpsetImport) continue;
    std::optional<std::string> domain = DomainOf(content);
    if (!domain) return Fail(Code::kInvalidArgument, "not an ONNX file");
    domains.insert(*std::move(domain));
  }
  if (domains.empty()) return Fail(Code::kInvalidArgument, "not an ONNX file");
  return domains;
}

}  // namespace tessera::engine::openvino
