#ifndef TESSERA_OFFICIAL_TRITON_HEADERS
#error "this file is compiled with the official headers"
#endif
#include "tessera/triton/api/testing/make_table.h"

namespace tessera::triton::testing {

Table OfficialTable() {
  return MakeTable();
}

}  // namespace tessera::triton::testing
