// The tables of tessera/shard/machines/, as text in the program.
#pragma once

namespace tessera::shard {

extern const char* const kCpuMachine;
extern const char* const kH200Machine;

}  // namespace tessera::shard
