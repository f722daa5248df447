#include "tests/nvinfer_standin/plan_file.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

namespace tessera::standin {
namespace {

Shape ParseShape(const std::string& text) {
  Shape shape;
  if (text.empty() || text == "scalar") return shape;
  std::istringstream words(text);
  std::string word;
  while (std::getline(words, word, 'x')) shape.push_back(std::atoll(word.c_str()));
  return shape;
}

std::string PrintShape(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

Result<Profile> ParseProfile(std::istringstream& words) {
  Profile profile;
  std::string word;
  while (words >> word) {
    const size_t equals = word.find('=');
    const size_t first = word.find(':', equals);
    const size_t second = word.find(':', first + 1);
    if (equals == std::string::npos || first == std::string::npos || second == std::string::npos) {
      return Fail(Code::kInvalidArgument, "profile '{}', wanted name=min:opt:max", word);
    }
    profile[word.substr(0, equals)] = {ParseShape(word.substr(equals + 1, first - equals - 1)),
                                       ParseShape(word.substr(first + 1, second - first - 1)),
                                       ParseShape(word.substr(second + 1))};
  }
  return profile;
}

Result<std::map<std::string, std::string>> ParseDeclared(std::istringstream& words) {
  std::map<std::string, std::string> declared;
  std::string word;
  while (words >> word) {
    const size_t equals = std::min(word.find('='), word.size() - 1);
    const std::string what = word.substr(equals + 1);
    static const std::set<std::string> known = {"fp8", "int4", "chw4", "host", "alias", "kindless"};
    if (known.count(what) == 0) {
      return Fail(Code::kInvalidArgument, "declare '{}', wanted name=fp8, int4, chw4, host, alias or kindless",
                  word);
    }
    declared[word.substr(0, equals)] = what;
  }
  return declared;
}

}  // namespace

Result<PlanFile> ParsePlan(std::string_view text) {
  std::istringstream lines{std::string(text.substr(0, text.find('\0')))};
  std::string line;
  if (!std::getline(lines, line) || line != "TESSERA-STANDIN 1") {
    return Fail(Code::kInvalidArgument, "not a plan of the stand-in");
  }
  PlanFile plan;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string key;
    words >> key;
    if (key == "onnx") {
      std::string path;
      words >> path;
      plan.onnx = path;
    } else if (key == "rank") {
      words >> plan.rank;
    } else if (key == "profile") {
      TRY_ASSIGN(Profile profile, ParseProfile(words));
      plan.profiles.push_back(std::move(profile));
      plan.values.emplace_back();
    } else if (key == "values" && !plan.values.empty()) {
      TRY_ASSIGN(plan.values.back(), ParseProfile(words));
    } else if (key == "weight") {
      std::string name;
      PlanFile::Weight weight;
      if (!(words >> name >> weight.offset >> weight.bytes)) {
        return Fail(Code::kInvalidArgument, "'{}', wanted: weight name offset bytes", line);
      }
      plan.weights[name] = weight;
    } else if (key == "declare") {
      TRY_ASSIGN(plan.declared, ParseDeclared(words));
    }
  }
  if (plan.onnx.empty()) return Fail(Code::kInvalidArgument, "the plan names no ONNX file");
  return plan;
}

namespace {

std::string PrintProfile(const char* what, const Profile& profile) {
  std::string text = what;
  for (const auto& [name, range] : profile) {
    text += fmt::format(" {}={}:{}:{}", name, PrintShape(range.least), PrintShape(range.best),
                        PrintShape(range.most));
  }
  return text + "\n";
}

}  // namespace

std::string PrintPlan(const PlanFile& plan) {
  std::string text = fmt::format("TESSERA-STANDIN 1\nonnx {}\nrank {}\n", plan.onnx.string(), plan.rank);
  for (size_t p = 0; p < plan.profiles.size(); ++p) {
    text += PrintProfile("profile", plan.profiles[p]);
    if (p < plan.values.size() && !plan.values[p].empty()) text += PrintProfile("values", plan.values[p]);
  }
  for (const auto& [name, weight] : plan.weights) {
    text += fmt::format("weight {} {} {}\n", name, weight.offset, weight.bytes);
  }
  if (!plan.declared.empty()) text += "declare";
  for (const auto& [name, what] : plan.declared) text += fmt::format(" {}={}", name, what);
  return text;
}

}  // namespace tessera::standin
