// An ONNX model in memory: nodes and values by number, attributes decoded once, everything unknown kept as it
// came.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::graph {

using ValueId = Strong<struct ValueIdTag, int32_t>;
using NodeId = Strong<struct NodeIdTag, int32_t>;
inline constexpr ValueId kNoValue{-1};  // an optional input or output that is absent
inline constexpr NodeId kNoNode{-1};

// A constant tensor: an initializer, or an attribute's tensor. The bytes (ONNX raw_data layout, little
// endian, not aligned) lie in memory or in a mapped file that `owner` keeps alive. Strings, sparse tensors
// and types newer than this build have no bytes here: such a constant keeps its proto.
struct Constant {
  DType type = DType::kUndefined;
  Shape shape;
  Bytes bytes;
  std::shared_ptr<const void> owner;
  std::shared_ptr<const std::string> raw;  // serialized TensorProto where there are no plain bytes, else null
  bool sparse = false;                     // `raw` is a SparseTensorProto
  std::string rest;  // serialized TensorProto of the fields not held above (doc_string, ...)

  // Makes one that owns a copy of `values`.
  static Constant OfInt64(const std::vector<int64_t>& values, Shape shape);
  static Constant OfBytes(DType type, Shape shape, std::vector<std::byte> bytes);
};

// The elements of an integer (any width; uint64 wraps) or bool constant; nullopt for another type.
std::optional<std::vector<int64_t>> AsInt64(const Constant& constant);

struct Attribute {
  enum class Kind { kInt, kFloat, kString, kInts, kFloats, kStrings, kTensor, kOther };
  std::string name;
  Kind kind = Kind::kOther;
  int64_t i = 0;
  float f = 0;
  std::string s;
  std::vector<int64_t> ints;
  std::vector<float> floats;
  std::vector<std::string> strings;
  std::shared_ptr<const Constant> tensor;
  std::string raw;  // kOther: the serialized AttributeProto (graphs, sparse tensors, type protos ...)
  // kOther: values of the enclosing graph that the subgraphs read, and their names in `raw`. A captured value
  // may be replaced by another: the writer renames it in the subgraphs.
  std::vector<ValueId> captured;
  std::vector<std::string> captured_names;
  std::string rest;  // serialized AttributeProto of the fields not held above (doc_string, ...)
};

struct Node {
  std::string name;
  std::string op_type;
  std::string domain;  // "" = ai.onnx
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::vector<Attribute> attributes;
  std::string
      rest;  // serialized NodeProto of the fields not held above (doc_string, metadata, overload, ...)

  const Attribute* Find(std::string_view attribute) const;
  int64_t Int(std::string_view attribute, int64_t otherwise) const;
  float Float(std::string_view attribute, float otherwise) const;
  std::string String(std::string_view attribute, std::string_view otherwise) const;
  std::vector<int64_t> Ints(std::string_view attribute) const;  // empty when absent
  void Set(std::string_view attribute, int64_t value);
  void Set(std::string_view attribute, std::vector<int64_t> values);
  void Set(std::string_view attribute, std::string value);
};

struct Value {
  std::string name;                // unique in the graph
  DType type = DType::kUndefined;  // kUndefined: not a tensor, or not inferred
  bool has_shape = false;          // the rank is known
  Shape shape;                     // kDynamic where not known
  std::vector<int32_t> symbols;    // as long as shape: equal numbers >= 0 = equal sizes, -1 = no symbol
  NodeId producer = kNoNode;       // kNoNode: an input or an initializer
  std::shared_ptr<const Constant> constant;  // an initializer's
  bool overridable =
      false;         // an initializer that the model also lists as an input: the default of an optional one
  std::string rest;  // serialized ValueInfoProto of what is not held above (doc_string, a sequence type, ...)
};

// Names of the dimension symbols ("batch"), by number; "" where the model gave none.
using SymbolNames = std::vector<std::string>;

struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
};

class Graph {
 public:
  // Nodes in a topological order. Numbers stay valid while the graph lives (but see RemoveNodes).
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Value>& values() const { return values_; }
  const Node& node(NodeId id) const { return nodes_[static_cast<size_t>(id.value())]; }
  const Value& value(ValueId id) const { return values_[static_cast<size_t>(id.value())]; }
  Node& node(NodeId id) { return nodes_[static_cast<size_t>(id.value())]; }
  Value& value(ValueId id) { return values_[static_cast<size_t>(id.value())]; }
  const std::vector<ValueId>& inputs() const { return inputs_; }  // the model's, without initializers
  const std::vector<ValueId>& outputs() const { return outputs_; }
  std::vector<ValueId>& inputs() { return inputs_; }
  std::vector<ValueId>& outputs() { return outputs_; }

  std::string name;
  int64_t ir_version = 0;
  std::map<std::string, int64_t> opsets;  // domain -> version, "" = ai.onnx
  SymbolNames symbol_names;
  std::string
      rest;  // serialized ModelProto of everything not held above (functions, metadata, producer, ...)

  // The version of the default domain's operator set; 0 if the model imports none.
  int64_t opset() const;

  // A new value; the name gets a suffix if it is taken (or reserved).
  ValueId AddValue(std::string_view value_name, DType type, Shape shape);
  ValueId AddConstant(std::string_view value_name, Constant constant);
  // Appends a node and makes it the producer of its outputs.
  NodeId AddNode(Node node);
  // Takes nodes out, and makes the others the producers of their outputs. Numbers of nodes change, those of
  // values do not.
  void RemoveNodes(const std::set<NodeId>& gone);
  std::optional<ValueId> FindValue(std::string_view value_name) const;
  // No value added later takes this name: a subgraph uses it for a value of its own.
  void ReserveName(std::string_view value_name);

  // The nodes that read each value (by value number; a node that reads it twice stands there twice), subgraph
  // captures included. Made anew by each call.
  std::vector<std::vector<NodeId>> Consumers() const;

 private:
  std::vector<Node> nodes_;
  std::vector<Value> values_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> outputs_;
  std::unordered_map<std::string, ValueId, NameHash, std::equal_to<>> by_name_;  // kNoValue = reserved
  std::unordered_map<std::string, int, NameHash, std::equal_to<>>
      suffixes_;  // last one tried for a taken name
};

}  // namespace tessera::graph
