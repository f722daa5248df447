#include "tessera/triton/json_fields.h"

namespace tessera::triton {

using nlohmann::json;

const json& Field(const json& object, const char* name) {
  static const json kNothing;
  auto found = object.find(name);
  return found == object.end() ? kNothing : *found;
}

bool Given(const json& object, const char* name) {
  const json& field = Field(object, name);
  return !field.is_null() && !(field.is_structured() && field.empty());
}

int64_t ReadNumber(const json& number) {
  return number.is_string() ? std::stoll(number.get<std::string>()) : number.get<int64_t>();
}

Shape ReadShape(const json& dims) {
  Shape shape;
  for (const json& size : dims) shape.push_back(ReadNumber(size));
  return shape;
}

}  // namespace tessera::triton
