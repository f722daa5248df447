#include "tessera/comm/conformance/values.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <random>

namespace tessera::comm::conformance {
namespace {

template <class T>
void Append(std::vector<std::byte>& bytes, T value) {
  const size_t at = bytes.size();
  bytes.resize(at + sizeof(T));
  std::memcpy(bytes.data() + at, &value, sizeof(T));
}

template <class T>
double At(Bytes bytes, size_t index) {
  T value{};
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return static_cast<double>(value);
}

struct Format {
  int exponent_bits, fraction_bits;
};
Format FormatOf(DType type) {
  return type == DType::kFloat16 ? Format{5, 10} : Format{8, 7};
}

// Normal numbers and zero are all that the tests send.
uint16_t EncodeSmall(Format format, double value) {
  if (value == 0) return 0;
  int exponent = 0;
  const double fraction = std::frexp(std::fabs(value), &exponent);  // in [0.5, 1)
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const double scaled = std::ldexp(fraction * 2 - 1, format.fraction_bits);
  assert(scaled == std::floor(scaled) && exponent - 1 + bias > 0);
  const int code = (exponent - 1 + bias) << format.fraction_bits | static_cast<int>(scaled);
  return static_cast<uint16_t>(code | (value < 0 ? 0x8000 : 0));
}

double DecodeSmall(Format format, uint16_t code) {
  const int exponent = (code & 0x7FFF) >> format.fraction_bits;
  const int fraction = code & ((1 << format.fraction_bits) - 1);
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  if (exponent == (1 << format.exponent_bits) - 1) return fraction != 0 ? std::nan("") : HUGE_VAL;
  const double whole = exponent == 0 ? fraction : fraction + (1 << format.fraction_bits);
  return (code & 0x8000 ? -1 : 1) * std::ldexp(whole, std::max(exponent, 1) - bias - format.fraction_bits);
}

size_t Index(Rank rank) {
  return static_cast<size_t>(rank.value());
}

// Integers of fewer bits wrap around.
double Wrap(DType type, double value) {
  switch (type) {
    case DType::kInt8:
      return static_cast<int8_t>(static_cast<int64_t>(value));
    case DType::kInt32:
      return static_cast<int32_t>(static_cast<int64_t>(value));
    default:
      return value;
  }
}

double Combine(ReduceOp op, double a, double b) {
  switch (op) {
    case ReduceOp::kProd:
      return a * b;
    case ReduceOp::kMax:
      return std::max(a, b);
    case ReduceOp::kMin:
      return std::min(a, b);
    default:
      return a + b;
  }
}

// What one rounding to the type may cost.
double Epsilon(DType type) {
  switch (type) {
    case DType::kFloat16:
      return std::ldexp(1, -11);
    case DType::kBFloat16:
      return std::ldexp(1, -8);
    default:
      return 0;
  }
}

Answer ReduceValues(const Collective& what, const std::vector<double>& values) {
  double result = values[0], size = std::fabs(values[0]);
  for (size_t i = 1; i < values.size(); ++i) {
    result = Combine(what.reduce, result, values[i]);
    size = what.reduce == ReduceOp::kProd ? std::fabs(result) : size + std::fabs(values[i]);
  }
  if (what.reduce == ReduceOp::kAvg) result /= static_cast<double>(values.size());
  if (what.type == DType::kBool) {
    const bool any = what.reduce == ReduceOp::kSum || what.reduce == ReduceOp::kMax;
    const auto ones = std::count(values.begin(), values.end(), 1.0);
    return {any ? (ones > 0 ? 1.0 : 0.0) : (ones == static_cast<long>(values.size()) ? 1.0 : 0.0), 0};
  }
  if (!IsFloat(what.type)) return {Wrap(what.type, std::trunc(result)), 0};
  if (what.reduce == ReduceOp::kMax || what.reduce == ReduceOp::kMin) return {result, 0};
  const double steps = static_cast<double>(values.size() + 1) * std::ldexp(1, -23);
  return {result, steps * size + Epsilon(what.type) * std::fabs(result) * 1.01};
}

}  // namespace

std::vector<std::byte> Encode(DType type, const std::vector<double>& values) {
  std::vector<std::byte> bytes;
  bytes.reserve(values.size() * static_cast<size_t>(BitsOf(type)) / 8);
  for (double value : values) {
    switch (type) {
      case DType::kFloat32:
        Append(bytes, static_cast<float>(value));
        break;
      case DType::kFloat16:
      case DType::kBFloat16:
        Append(bytes, EncodeSmall(FormatOf(type), value));
        break;
      case DType::kInt8:
        Append(bytes, static_cast<int8_t>(value));
        break;
      case DType::kInt32:
        Append(bytes, static_cast<int32_t>(value));
        break;
      case DType::kInt64:
        Append(bytes, static_cast<int64_t>(value));
        break;
      case DType::kBool:
        Append(bytes, static_cast<uint8_t>(value));
        break;
      default:
        assert(false && "a type that no collective takes");
    }
  }
  return bytes;
}

std::vector<double> Decode(DType type, Bytes bytes) {
  std::vector<double> values(bytes.size() * 8 / static_cast<size_t>(BitsOf(type)));
  for (size_t i = 0; i < values.size(); ++i) {
    switch (type) {
      case DType::kFloat32:
        values[i] = At<float>(bytes, i);
        break;
      case DType::kFloat16:
      case DType::kBFloat16:
        values[i] = DecodeSmall(FormatOf(type), static_cast<uint16_t>(At<uint16_t>(bytes, i)));
        break;
      case DType::kInt8:
        values[i] = At<int8_t>(bytes, i);
        break;
      case DType::kInt32:
        values[i] = At<int32_t>(bytes, i);
        break;
      case DType::kInt64:
        values[i] = At<int64_t>(bytes, i);
        break;
      case DType::kBool:
        values[i] = At<uint8_t>(bytes, i);
        break;
      default:
        assert(false && "a type that no collective takes");
    }
  }
  return values;
}

std::vector<double> Input(DType type, unsigned seed, Rank rank, size_t count) {
  std::minstd_rand random(seed * 977U + static_cast<unsigned>(rank.value()) * 31U + 7U);
  std::vector<double> values(count);
  for (double& value : values) {
    const int drawn = static_cast<int>(random() >> 8 & 0xFFFF);
    if (type == DType::kBool) {
      value = drawn % 4 != 0 ? 1 : 0;  // mostly true, so that "and" is not always false
    } else if (IsFloat(type)) {
      value = (drawn % 49 - 24) / 8.0;  // the product of eight of them is a half
    } else {
      value = drawn % 9 - 4;  // eight of them neither overflow as a sum nor lose bits as a double product
    }
  }
  return values;
}

size_t SendCount(const Collective& what, Rank rank, int world_size, size_t n) {
  switch (what.op) {
    case CollectiveOp::kBroadcast:
      return rank == what.root ? n : 0;
    case CollectiveOp::kScatter:
      return rank == what.root ? n * static_cast<size_t>(world_size) : 0;
    case CollectiveOp::kReduceScatter:
    case CollectiveOp::kAllToAll:
      return n * static_cast<size_t>(world_size);
    default:
      return n;
  }
}

size_t RecvCount(const Collective& what, Rank rank, int world_size, size_t n) {
  switch (what.op) {
    case CollectiveOp::kReduce:
      return rank == what.root ? n : 0;
    case CollectiveOp::kGather:
      return rank == what.root ? n * static_cast<size_t>(world_size) : 0;
    case CollectiveOp::kAllGather:
    case CollectiveOp::kAllToAll:
      return n * static_cast<size_t>(world_size);
    default:
      return n;
  }
}

std::vector<Answer> Expected(const Collective& what, unsigned seed, Rank rank, int world_size, size_t n) {
  std::vector<std::vector<double>> sent;
  for (int r = 0; r < world_size; ++r) {
    sent.push_back(Input(what.type, seed, Rank{r}, SendCount(what, Rank{r}, world_size, n)));
  }
  const size_t own = Index(rank) * n;
  std::vector<Answer> answers;
  for (size_t i = 0; i < RecvCount(what, rank, world_size, n); ++i) {
    std::vector<double> column;
    switch (what.op) {
      case CollectiveOp::kAllReduce:
      case CollectiveOp::kReduce:
        for (const auto& values : sent) column.push_back(values[i]);
        answers.push_back(ReduceValues(what, column));
        break;
      case CollectiveOp::kReduceScatter:
        for (const auto& values : sent) column.push_back(values[own + i]);
        answers.push_back(ReduceValues(what, column));
        break;
      case CollectiveOp::kAllGather:
      case CollectiveOp::kGather:
        answers.push_back({sent[i / n][i % n], 0});
        break;
      case CollectiveOp::kAllToAll:
        answers.push_back({sent[i / n][own + i % n], 0});
        break;
      case CollectiveOp::kBroadcast:
        answers.push_back({sent[Index(what.root)][i], 0});
        break;
      case CollectiveOp::kScatter:
        answers.push_back({sent[Index(what.root)][own + i], 0});
        break;
    }
  }
  return answers;
}

}  // namespace tessera::comm::conformance
