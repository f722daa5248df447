// OpenVINO's element types and ours, for the adapters that meet OpenVINO.
#pragma once

#include <openvino/core/type/element_type.hpp>

#include "tessera/base/types.h"

namespace tessera {

// kUndefined: a type that has none of ours (dynamic, packed ones of OpenVINO's own).
DType FromOpenVino(ov::element::Type_t type);

}  // namespace tessera
