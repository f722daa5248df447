// Makes the table of the Triton headers that the including file has chosen. All is static: two files include
// it.
#pragma once

#include <typeinfo>

#include "tessera/triton/api/testing/table.h"
#include "tessera/triton/api/triton.h"

namespace tessera::triton::testing {
namespace {

// Enums by the name that both headers give them; their tags differ.
template <class T>
struct TypeText {
  static std::string Text() { return typeid(T).name(); }
};
template <class T>
struct TypeText<T*> {
  static std::string Text() { return TypeText<T>::Text() + "*"; }
};
template <class T>
struct TypeText<const T> {
  static std::string Text() { return "const " + TypeText<T>::Text(); }
};
// An opaque struct has no typeid of its own.
#define OPAQUE(name)                            \
  template <>                                   \
  struct TypeText<name> {                       \
    static std::string Text() { return #name; } \
  };
OPAQUE(TRITONSERVER_Error_Code)
OPAQUE(TRITONSERVER_DataType)
OPAQUE(TRITONSERVER_MemoryType)
OPAQUE(TRITONSERVER_LogLevel)
OPAQUE(TRITONSERVER_InstanceGroupKind)
OPAQUE(TRITONSERVER_ParameterType)
OPAQUE(TRITONSERVER_MetricKind)
OPAQUE(TRITONBACKEND_ArtifactType)
OPAQUE(TRITONSERVER_Error)
OPAQUE(TRITONSERVER_Message)
OPAQUE(TRITONSERVER_Metric)
OPAQUE(TRITONSERVER_MetricFamily)
OPAQUE(TRITONSERVER_Parameter)
OPAQUE(TRITONBACKEND_Backend)
OPAQUE(TRITONBACKEND_BackendAttribute)
OPAQUE(TRITONBACKEND_Input)
OPAQUE(TRITONBACKEND_Model)
OPAQUE(TRITONBACKEND_ModelInstance)
OPAQUE(TRITONBACKEND_Output)
OPAQUE(TRITONBACKEND_Request)
OPAQUE(TRITONBACKEND_Response)
#undef OPAQUE

template <class Returned, class... Arguments>
std::string FunctionText(Returned (*)(Arguments...)) {
  std::string text = TypeText<Returned>::Text() + "(";
  ((text += TypeText<Arguments>::Text() + ","), ...);
  return text + ")";
}

Table MakeTable() {
  Table table;
#define FUNCTION(name) table[#name] = FunctionText(static_cast<decltype(&(name))>(nullptr));
#define ENUMERATOR(name) table[#name] = std::to_string(static_cast<long>(name));
#include "declarations.inc"
#undef FUNCTION
#undef ENUMERATOR
  return table;
}

}  // namespace
}  // namespace tessera::triton::testing
