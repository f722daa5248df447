// The families of ops of which the checker has labels: each function adds its own to the table.
#pragma once

#include "tessera/shard/check_op.h"

namespace tessera::shard::check {

void AddElementwise(Table& table);
void AddContractions(Table& table);
void AddMovements(Table& table);
void AddIndexing(Table& table);
// Normalizations, reductions and others along some axes.
void AddAlongAxes(Table& table);
// Convolutions, pools and others of batch, channels and places.
void AddImages(Table& table);
void AddQuantized(Table& table);
// Attention and recurrent layers.
void AddSequences(Table& table);

// The product of matrices of input 0 and of this input: that of quantized ones goes along the same
// dimensions.
std::optional<Labels> MatMul(const Op& op, size_t b_input = 1);

}  // namespace tessera::shard::check
