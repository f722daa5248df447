// Reads .npz files (numpy.savez, numpy.savez_compressed): a zip of .npy arrays.
#pragma once

#include <filesystem>
#include <vector>

#include "tessera/cli/host_tensor.h"

namespace tessera::cli {

// The arrays in the order of the file, named without ".npy". Bool, integer and f16/f32/f64 arrays, little
// endian, C order, stored or deflated, zip64. Errors: kNotFound, kInvalidArgument (not a zip, truncated,
// another dtype or order: the line names file and array). Source: PKWARE APPNOTE 6.3.9; numpy documentation,
// "numpy.lib.format".
Result<std::vector<HostTensor>> ReadNpz(const std::filesystem::path& file);

// One .npy file's content as a tensor of that name.
Result<HostTensor> ParseNpy(std::string_view name, Bytes content);

}  // namespace tessera::cli
