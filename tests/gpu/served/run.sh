#!/usr/bin/env bash
# Runs the tests of GPU models in a real Triton, from a folder that served_bundle.sh made, on a machine with GPUs:
#   run.sh [ARGUMENTS of pytest]        -k NAME, --collect-only, ..
# Environment: TESSERA_NCCL, a folder with a libnccl.so.2 to prefer; TESSERA_GPU_LISTS, see conftest.py. On one GPU, ranks
# share it, which needs NCCL >= 2.30. With $OUT set, the results are left there.
set -u
here=$(cd "$(dirname "$0")" && pwd)
python=${TESSERA_PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' || { echo "wanted Python 3.12: $python" >&2; exit 2; }

# The CUDA libraries of a Python environment, where the system has none.
site=''
for other in "$python" /opt/torch/.venv/bin/python3; do
  site=$("$other" -c 'import nvidia; print(list(nvidia.__path__)[0])' 2>/dev/null) && break
done
found=${TESSERA_NCCL:+$TESSERA_NCCL:}$here/lib
[ -n "$site" ] && for folder in "$site"/*/lib; do found=$found:$folder; done
export LD_LIBRARY_PATH=$found:/usr/local/cuda/lib64:/usr/local/nvidia/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PYTHONPATH=$here/python PYTHONDONTWRITEBYTECODE=1
export TESSERA_TRITONSERVER=$here/server/pytriton/tritonserver/bin/tritonserver TESSERA_BACKENDS=$here/backends
export TESSERA_WRITE_MODEL=$here/bin/write_model TESSERA_NVINFER_LIBRARY=$here/lib/libnvinfer.so.11
export TESSERA_GPU_MODELS=$here/models NCCL_NVLS_ENABLE=${NCCL_NVLS_ENABLE:-0}
TESSERA_GPU_COUNT=$(nvidia-smi --query-gpu=index --format=csv,noheader | wc -l)
export TESSERA_GPU_COUNT

if [ "$TESSERA_GPU_COUNT" = 1 ]; then
  # Ranks that share a GPU: their collectives must run at the same time, and nobody may wait for the whole GPU.
  export NCCL_MULTI_RANK_GPU_ENABLE=1 NCCL_MAX_CTAS=${NCCL_MAX_CTAS:-2} CUDA_DEVICE_MAX_CONNECTIONS=32
  export CUDA_MODULE_LOADING=${CUDA_MODULE_LOADING:-EAGER}
fi
results=${OUT:-$(mktemp -d)}
for name in TESSERA_NCCL NCCL_MULTI_RANK_GPU_ENABLE NCCL_MAX_CTAS CUDA_MODULE_LOADING TESSERA_GPU_LISTS; do
  [ -n "${!name:-}" ] && echo "$name=${!name}"
done
nvidia-smi --query-gpu=index,name,driver_version --format=csv,noheader
"$python" -m pytest "$here/tests/gpu/served" -p no:cacheprovider -q -ra --tb=short --durations=8 \
  --basetemp="$results/tmp" --junitxml="$results/served.xml" "$@" >"$results/served.log" 2>&1
status=$?
rm -rf "$results/tmp"
tail -c "${TESSERA_GPU_TAIL:-9000}" "$results/served.log"
exit $status
