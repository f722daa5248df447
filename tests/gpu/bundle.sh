#!/usr/bin/env bash
# Makes a folder with all that run.sh needs on a machine with GPUs but without this tree's build or packages:
#   tests/gpu/bundle.sh [BUILD_DIR] [FOLDER]      default build/gpu build/gpu-bundle
# The CUDA libraries are taken from the machine where it runs.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/gpu}
folder=${2:-$root/build/gpu-bundle}
rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/lib"
programs=(cuda_gpu_test comm_nccl_gpu_test engine_gpu_test gpu_bench)
for program in "${programs[@]}"; do
  [ -x "$build/bin/$program" ] && strip -o "$folder/bin/$program" "$build/bin/$program" || echo "without $program" >&2
done
strip -o "$folder/lib/libnvinfer.so.11" "$build/lib/libnvinfer.so.11"
# Shared libraries that a bare machine lacks; not the C and C++ runtime, nor CUDA's.
for file in "$folder"/bin/* "$folder"/lib/libnvinfer.so.11; do
  ldd "$file" | awk '$3 ~ /^\// {print $3}'
done | sort -u | grep -E '/lib(fmt|spdlog|protobuf|protobuf-lite|gtest|gmock|gtest_main|benchmark|z|crypto)[.-]' |
  while read -r library; do cp -L "$library" "$folder/lib/"; done
cp "$root/tests/gpu/run.sh" "$folder/"
du -sh "$folder"
