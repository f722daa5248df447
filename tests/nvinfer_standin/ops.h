// The stand-in's operators, by family.
#pragma once

#include <map>
#include <string>

#include "tests/nvinfer_standin/program.h"

namespace tessera::standin {

using Handlers = std::map<std::string, Handler>;
void AddElementwise(Handlers& handlers);
void AddShapes(Handlers& handlers);
void AddMoves(Handlers& handlers);
void AddGathers(Handlers& handlers);
void AddRows(Handlers& handlers);
void AddProducts(Handlers& handlers);
void AddAttention(Handlers& handlers);
void AddCollective(Handlers& handlers);

}  // namespace tessera::standin
