#!/usr/bin/env bash
# Makes a folder with all that run.sh needs on a machine with GPUs but without this tree's build or packages:
#   tests/gpu/bundle.sh [BUILD_DIR] [FOLDER]      default build/gpu build/gpu-bundle
# One more model, of any size: model_parts.sh.
# $TESSERA_PROGRAM (default BUILD_DIR/bin/tessera) shards the models of $TESSERA_ZOO (default ../shared/zoo) for the
# tests, $TESSERA_PYTHON (default .venv/bin/python) asks onnxruntime for their answers; without them there are none.
# The CUDA libraries are taken from the machine where it runs.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/gpu}
folder=${2:-$root/build/gpu-bundle}
tessera=${TESSERA_PROGRAM:-$build/bin/tessera}
zoo=${TESSERA_ZOO:-$root/../shared/zoo}
rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/lib" "$folder/models"
for program in cuda_gpu_test comm_nccl_gpu_test engine_gpu_test zoo_gpu_test gpu_bench; do
  strip -o "$folder/bin/$program" "$build/bin/$program"
done
strip -o "$folder/lib/libnvinfer.so.11" "$build/lib/libnvinfer.so.11"
# Shared libraries that a bare machine lacks; not the C and C++ runtime, nor CUDA's.
for file in "$folder"/bin/* "$folder"/lib/libnvinfer.so.11; do
  ldd "$file" | awk '$3 ~ /^\// {print $3}'
done | sort -u | grep -E '/lib(fmt|spdlog|protobuf|protobuf-lite|gtest|gmock|gtest_main|benchmark|z|crypto)[.-]' |
  while read -r library; do cp -L "$library" "$folder/lib/"; done
python=${TESSERA_PYTHON:-$root/.venv/bin/python}
if [ -x "$tessera" ] && [ -d "$zoo" ]; then
  "$python" "$root/tests/gpu/make_cases.py" "$tessera" "$zoo" "$folder/models"
  "$python" "$root/tests/gpu/attention_model.py" "$tessera" "$folder/attention"
else
  echo "without models: no $tessera or no $zoo" >&2
fi
cp "$root/tests/gpu/run.sh" "$root/tests/gpu/peer.py" "$folder/"
# What can be checked here: every library opens with all its symbols, in an environment without this machine's paths.
cuda=$(ldd "$build/lib/libnvinfer.so.11" | awk '/cublasLt|cudnn|nvrtc|nccl/ {print $3}' | xargs -n1 dirname | sort -u | paste -sd:)
for file in "$folder"/bin/* "$folder"/lib/libnvinfer.so.11; do
  missing=$(env -i LD_LIBRARY_PATH="$folder/lib:$cuda" /usr/bin/ldd -r "$file" 2>&1 | grep -E 'not found|undefined') || true
  [ -z "$missing" ] || { printf '%s:\n%s\n' "$file" "$missing" >&2; exit 1; }
done
for symbol in createInferRuntime_INTERNAL getInferLibVersion; do
  nm -D --defined-only "$folder/lib/libnvinfer.so.11" | grep -qw "$symbol" || { echo "no $symbol" >&2; exit 1; }
done
du -sh "$folder"
