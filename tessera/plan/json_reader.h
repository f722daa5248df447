// A strict reader of JSON: a place in a document that knows its path, so that an error names the field, what
// was got and what was wanted. For plan and shard.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tessera/base/result.h"

namespace tessera::plan {

class JsonField {
 public:
  // `value` must outlive the field. `path` as errors name it: "" for the document, "ranks[1].model".
  JsonField(const nlohmann::json& value, std::string path) : value_(&value), path_(std::move(path)) {}

  // This is an object that has no field but these; which of them it must have is for At to say.
  Result<void> OnlyHas(std::initializer_list<std::string_view> names) const;
  Result<JsonField> At(std::string_view name) const;
  bool Has(std::string_view name) const;
  // A document's "format" is `format` and its "version" from 1 to `newest`; `what` names the document in the
  // error that it is newer. To be checked before everything else: a newer document may differ in any other
  // way.
  Result<void> CheckFormat(std::string_view format, int64_t newest, std::string_view what) const;

  Result<std::string> String() const;
  Result<int64_t> Int(int64_t least, int64_t most) const;
  Result<double> Number() const;
  Result<bool> Bool() const;

  // This is an array: `read` (JsonField -> Result<T>) makes each element.
  template <class Read>
  auto List(Read read) const
      -> Result<std::vector<typename decltype(read(std::declval<JsonField>()))::value_type>> {
    TRY_ASSIGN(const std::vector<JsonField> elements, Elements());
    std::vector<typename decltype(read(std::declval<JsonField>()))::value_type> list;
    for (const JsonField& element : elements) {
      TRY_ASSIGN(auto item, read(element));
      list.push_back(std::move(item));
    }
    return list;
  }

  // The error that this field is not what was wanted: "'ranks[1].model.bytes' is -3, wanted a number from 0".
  tl::unexpected<Error> Unwanted(std::string_view wanted) const;

  const std::string& path() const { return path_; }

 private:
  Result<std::vector<JsonField>> Elements() const;
  const nlohmann::json* value_;
  std::string path_;
};

// Reads a whole document: `read` (JsonField -> Result<T>) makes it out of its top. Errors: kInvalidArgument
// where `text` is not JSON, else those of `read`.
template <class Read>
auto ReadJson(std::string_view text, Read read) -> decltype(read(std::declval<JsonField>())) {
  try {
    const nlohmann::json document = nlohmann::json::parse(text);
    return read(JsonField(document, ""));
  } catch (const nlohmann::json::parse_error& error) {
    return Fail(Code::kInvalidArgument, "not JSON: byte {} of {} is unexpected", error.byte, text.size());
  } catch (const nlohmann::json::exception& error) {
    return Fail(Code::kInternal, "JSON: {}", error.what());
  }
}

}  // namespace tessera::plan
