#include "tessera/comm/inproc/reduce.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tessera/comm/inproc/float16.h"

namespace tessera::comm {
namespace {

// How a type lies in memory and what it is computed in.
template <class T, class Wide = T>
struct Plain {
  using Stored = T;
  using Value = Wide;
  static Value Load(Stored stored) { return stored; }
  static Stored Store(Value value) { return static_cast<Stored>(value); }
};
template <float (*Decode)(uint16_t), uint16_t (*Encode)(float)>
struct Small {
  using Stored = uint16_t;
  using Value = float;
  static Value Load(Stored stored) { return Decode(stored); }
  static Stored Store(Value value) { return Encode(value); }
};
using Float32 = Plain<float>;
using Half = Small<FloatOfHalf, HalfOfFloat>;
using BFloat16 = Small<FloatOfBFloat16, BFloat16OfFloat>;
using Int8 = Plain<int8_t, int32_t>;
using Int32 = Plain<int32_t, int64_t>;
using Int64 = Plain<int64_t>;
struct Bool : Plain<uint8_t> {
  static Value Load(Stored stored) { return stored != 0 ? 1 : 0; }
};

// Integers are added and multiplied unsigned: they wrap around instead of being undefined.
template <class Value, class Operation>
Value Wrapping(Value a, Value b, Operation operation) {
  if constexpr (std::is_integral_v<Value> && sizeof(Value) >= sizeof(int)) {
    using Unsigned = std::make_unsigned_t<Value>;
    return static_cast<Value>(operation(static_cast<Unsigned>(a), static_cast<Unsigned>(b)));
  } else {
    return static_cast<Value>(operation(a, b));
  }
}

struct Sum {
  template <class Value>
  static Value Apply(Value a, Value b) {
    return Wrapping(a, b, [](auto x, auto y) { return x + y; });
  }
};
struct Prod {
  template <class Value>
  static Value Apply(Value a, Value b) {
    return Wrapping(a, b, [](auto x, auto y) { return x * y; });
  }
};
struct Max {
  template <class Value>
  static Value Apply(Value a, Value b) {
    return a < b ? b : a;
  }
};
struct Min {
  template <class Value>
  static Value Apply(Value a, Value b) {
    return b < a ? b : a;
  }
};

// A run of elements short enough that what is computed stays in the first cache.
constexpr size_t kRun = 1024;

template <class Element>
using Values = std::array<typename Element::Value, kRun>;

template <class Element>
typename Element::Value LoadAt(const std::byte* from, size_t index) {
  typename Element::Stored stored;
  std::memcpy(&stored, from + index * sizeof(stored), sizeof(stored));
  return Element::Load(stored);
}

template <class Element, class Operation>
void Accumulate(std::span<const std::byte* const> sources, size_t offset, size_t count,
                Values<Element>& values) {
  const std::byte* first = sources[0] + offset;
  for (size_t i = 0; i < count; ++i) values[i] = LoadAt<Element>(first, i);
  for (const std::byte* source : sources.subspan(1)) {
    const std::byte* next = source + offset;
    for (size_t i = 0; i < count; ++i) values[i] = Operation::Apply(values[i], LoadAt<Element>(next, i));
  }
}

template <class Element>
void Divide(size_t by, size_t count, Values<Element>& values) {
  const auto divisor = static_cast<typename Element::Value>(by);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<typename Element::Value>(values[i] / divisor);
}

// Rounded once, copied to each: the same bits for everybody.
template <class Element>
void Spread(const Values<Element>& values, size_t offset, size_t count,
            std::span<std::byte* const> destinations) {
  std::array<typename Element::Stored, kRun>
      stored;  // NOLINT(cppcoreguidelines-pro-type-member-init): written below
  for (size_t i = 0; i < count; ++i) stored[i] = Element::Store(values[i]);
  for (std::byte* to : destinations) std::memcpy(to + offset, stored.data(), count * sizeof(stored[0]));
}

template <class Element, class Operation>
void ReduceRuns(bool average, std::span<const std::byte* const> sources,
                std::span<std::byte* const> destinations, size_t count) {
  alignas(64) Values<Element>
      values;  // NOLINT(cppcoreguidelines-pro-type-member-init): written by Accumulate
  for (size_t done = 0; done < count; done += kRun) {
    const size_t run = std::min(kRun, count - done);
    const size_t offset = done * sizeof(typename Element::Stored);
    Accumulate<Element, Operation>(sources, offset, run, values);
    if (average) Divide<Element>(sources.size(), run, values);
    Spread<Element>(values, offset, run, destinations);
  }
}

template <class Element>
void ReduceElements(ReduceOp op, std::span<const std::byte* const> sources,
                    std::span<std::byte* const> destinations, size_t count) {
  switch (op) {
    case ReduceOp::kSum:
    case ReduceOp::kAvg:
      return ReduceRuns<Element, Sum>(op == ReduceOp::kAvg, sources, destinations, count);
    case ReduceOp::kProd:
      return ReduceRuns<Element, Prod>(false, sources, destinations, count);
    case ReduceOp::kMax:
      return ReduceRuns<Element, Max>(false, sources, destinations, count);
    case ReduceOp::kMin:
      return ReduceRuns<Element, Min>(false, sources, destinations, count);
    case ReduceOp::kNone:
      break;
  }
  assert(false && "a reduction that reduces nothing");
}

// Of 0 and 1: "or" is their max, "and" their min, and their avg rounded toward zero is 1 only when all are.
ReduceOp OfBools(ReduceOp op) {
  return op == ReduceOp::kSum || op == ReduceOp::kMax ? ReduceOp::kMax : ReduceOp::kMin;
}

}  // namespace

void Reduce(DType type, ReduceOp op, std::span<const std::byte* const> sources,
            std::span<std::byte* const> destinations, size_t count) {
  switch (type) {
    case DType::kFloat32:
      return ReduceElements<Float32>(op, sources, destinations, count);
    case DType::kFloat16:
      return ReduceElements<Half>(op, sources, destinations, count);
    case DType::kBFloat16:
      return ReduceElements<BFloat16>(op, sources, destinations, count);
    case DType::kInt8:
      return ReduceElements<Int8>(op, sources, destinations, count);
    case DType::kInt32:
      return ReduceElements<Int32>(op, sources, destinations, count);
    case DType::kInt64:
      return ReduceElements<Int64>(op, sources, destinations, count);
    case DType::kBool:
      return ReduceElements<Bool>(OfBools(op), sources, destinations, count);
    default:
      assert(false && "a type that Validate refuses");
  }
}

}  // namespace tessera::comm
