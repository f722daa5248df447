#include "tessera/plan/json_reader.h"

#include <algorithm>
#include <limits>

namespace tessera::plan {
namespace {

using nlohmann::json;

// A value as an error shows it: short, on one line, whatever bytes it holds.
std::string Shown(const json& value) {
  constexpr size_t kLongest = 60;
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
}

std::string Named(const std::string& path) {
  return path.empty() ? "the document" : "'" + path + "'";
}

bool FitsInt64(const json& value) {
  if (!value.is_number_integer()) return false;
  return !value.is_number_unsigned() || value.get<uint64_t>() <= std::numeric_limits<int64_t>::max();
}

}  // namespace

tl::unexpected<Error> JsonField::Unwanted(std::string_view wanted) const {
  return Fail(Code::kInvalidArgument, "{} is {}, wanted {}", Named(path_), Shown(*value_), wanted);
}

Result<void> JsonField::OnlyHas(std::initializer_list<std::string_view> names) const {
  if (!value_->is_object()) return Unwanted("an object");
  for (const auto& [name, value] : value_->items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return Fail(Code::kInvalidArgument, "{} has the unknown field '{}'", Named(path_), name);
    }
  }
  return {};
}

bool JsonField::Has(std::string_view name) const {
  return value_->is_object() && value_->contains(name);
}

Result<JsonField> JsonField::At(std::string_view name) const {
  if (!value_->is_object()) return Unwanted("an object");
  auto found = value_->find(name);
  if (found == value_->end()) return Fail(Code::kInvalidArgument, "{} has no field '{}'", Named(path_), name);
  return JsonField(*found, path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name));
}

Result<void> JsonField::CheckFormat(std::string_view format, int64_t newest, std::string_view what) const {
  TRY_ASSIGN(const JsonField format_field, At("format"));
  TRY_ASSIGN(const std::string got, format_field.String());
  if (got != format) return format_field.Unwanted(fmt::format("\"{}\"", format));
  TRY_ASSIGN(const JsonField version_field, At("version"));
  TRY_ASSIGN(const int64_t version, version_field.Int(1, std::numeric_limits<int64_t>::max()));
  if (version > newest) {
    return Fail(Code::kUnsupported, "the {} has version {}, this program reads up to version {}", what,
                version, newest);
  }
  return {};
}

Result<std::string> JsonField::String() const {
  if (!value_->is_string()) return Unwanted("a string");
  return value_->get<std::string>();
}

Result<int64_t> JsonField::Int(int64_t least, int64_t most) const {
  if (FitsInt64(*value_)) {
    const int64_t number = value_->get<int64_t>();
    if (least <= number && number <= most) return number;
  }
  if (most == std::numeric_limits<int64_t>::max()) return Unwanted(fmt::format("an integer from {}", least));
  return Unwanted(fmt::format("an integer from {} to {}", least, most));
}

Result<double> JsonField::Number() const {
  if (!value_->is_number()) return Unwanted("a number");
  return value_->get<double>();
}

Result<bool> JsonField::Bool() const {
  if (!value_->is_boolean()) return Unwanted("true or false");
  return value_->get<bool>();
}

Result<std::vector<JsonField>> JsonField::Elements() const {
  if (!value_->is_array()) return Unwanted("a list");
  std::vector<JsonField> elements;
  for (size_t i = 0; i < value_->size(); ++i)
    elements.emplace_back((*value_)[i], fmt::format("{}[{}]", path_, i));
  return elements;
}

}  // namespace tessera::plan
