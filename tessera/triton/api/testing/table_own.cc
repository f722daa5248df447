#include "tessera/triton/api/testing/make_table.h"

namespace tessera::triton::testing {

Table OwnTable() {
  return MakeTable();
}

}  // namespace tessera::triton::testing
