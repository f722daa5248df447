// How plan.json's fields are written and read: what its parts have in common.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/base/types.h"
#include "tessera/plan/json_reader.h"

namespace tessera::plan {

using Json = nlohmann::ordered_json;

inline constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
inline constexpr int64_t kMostInt = std::numeric_limits<int>::max();

template <class T, class Write>
Json List(const std::vector<T>& items, Write write) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(write(item));
  return list;
}

inline Result<std::string> StringAt(const JsonField& field, std::string_view name) {
  TRY_ASSIGN(const JsonField value, field.At(name));
  return value.String();
}

inline Result<int64_t> IntAt(const JsonField& field, std::string_view name, int64_t least, int64_t most) {
  TRY_ASSIGN(const JsonField value, field.At(name));
  return value.Int(least, most);
}

inline Result<ByteCount> BytesAt(const JsonField& field, std::string_view name) {
  TRY_ASSIGN(const int64_t bytes, IntAt(field, name, 0, kMost));
  return ByteCount{static_cast<uint64_t>(bytes)};
}

// The enumerator that a string names, by `from_name`; `wanted` lists them in the error.
template <class FromName>
auto NamedAt(const JsonField& field, std::string_view name, FromName from_name, std::string_view wanted)
    -> Result<typename decltype(from_name(std::string_view()))::value_type> {
  TRY_ASSIGN(const JsonField value, field.At(name));
  TRY_ASSIGN(const std::string text, value.String());
  auto found = from_name(text);
  if (!found) return value.Unwanted(wanted);
  return *found;
}

template <class Read>
auto ListAt(const JsonField& field, std::string_view name, Read read) -> decltype(field.List(read)) {
  TRY_ASSIGN(const JsonField value, field.At(name));
  return value.List(read);
}

inline Result<std::string> ReadString(const JsonField& field) {
  return field.String();
}

// A size, or kDynamic.
inline Result<int64_t> ReadDimension(const JsonField& field) {
  return field.Int(kDynamic, kMost);
}

// An absent field says false.
inline Result<bool> TrueAt(const JsonField& field, const char* name) {
  if (!field.Has(name)) return false;
  TRY_ASSIGN(const JsonField said, field.At(name));
  return said.Bool();
}

}  // namespace tessera::plan
