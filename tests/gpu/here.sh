#!/usr/bin/env bash
# Builds the GPU part and runs its tests or benchmarks on this machine:
#   tests/gpu/here.sh test|bench [ARGUMENTS of run.sh]      bench: PyTorch's figures, too, where it is installed
# Needs CUDA, NCCL and the TensorRT headers (cmake/cuda.cmake says where they are looked for), and ./dev's environment.
set -euo pipefail
cd "$(dirname "$0")/../.."
what=${1:?usage: here.sh test|bench}
shift
nvidia-smi -L >/dev/null 2>&1 || {
  echo "no GPU here: tests/gpu/bundle.sh makes a folder to carry to one" >&2
  exit 1
}
cmake --preset gpu
ninja -C build/gpu -t query nvinfer_standin >/dev/null 2>&1 || {
  echo "the tests on GPUs cannot be built here: the line above that begins with 'skipped' says why" >&2
  exit 1
}
ninja -C build/gpu bin/tessera half_ranks cuda_gpu_test comm_nccl_gpu_test engine_gpu_test zoo_gpu_test gpu_bench nvinfer_standin
tests/gpu/bundle.sh build/gpu build/gpu-bundle
[ "$what" = test ] || what=$what,peer
exec build/gpu-bundle/run.sh --only "$what" "$@"
