#!/usr/bin/env bash
# Tests and benchmarks of GPU models in a real Triton, from a folder that served_bundle.sh made, on a machine with GPUs:
#   run.sh [STAGE ..]              faults, bench, speed_bench, grpc_bench, several, rest: all, in this order, without a word
#   run.sh pytest [ARGUMENTS]      the tests that pytest's arguments choose: -k NAME, --collect-only, ..
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
TESSERA_LIBTRITONSERVER=$(echo "$here"/server/nvidia_pytriton.libs/libtritonserver-*.so)
export TESSERA_LIBTRITONSERVER
export TESSERA_WRITE_MODEL=$here/bin/write_model TESSERA_EXECUTOR_SPEED=$here/bin/executor_speed
export TESSERA_ATTENTION=${TESSERA_ATTENTION:-$here/attention} TESSERA_NVINFER_LIBRARY=$here/lib/libnvinfer.so.11
export TESSERA_GPU_MODELS=${TESSERA_GPU_MODELS:-$here/models} NCCL_NVLS_ENABLE=${NCCL_NVLS_ENABLE:-0}
export NCCL_GRAPH_MIXING_SUPPORT=${NCCL_GRAPH_MIXING_SUPPORT:-0}  # see docs/multi_device.md
TESSERA_GPU_COUNT=$(nvidia-smi --query-gpu=index --format=csv,noheader | wc -l)
export TESSERA_GPU_COUNT

if [ "$TESSERA_GPU_COUNT" = 1 ]; then
  # Ranks that share a GPU: their collectives must run at the same time, and nobody may wait for the whole GPU.
  export NCCL_MULTI_RANK_GPU_ENABLE=1 NCCL_MAX_CTAS=${NCCL_MAX_CTAS:-2} CUDA_DEVICE_MAX_CONNECTIONS=32
  export CUDA_MODULE_LOADING=${CUDA_MODULE_LOADING:-EAGER}
fi
results=${OUT:-$(mktemp -d)}
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
failed=0

# tests NAME ARGUMENTS: leaves NAME.log and NAME.xml.
tests() {
  local name=$1 status=0
  shift
  "$python" -m pytest -p no:cacheprovider -q -ra --tb=short --durations=8 --basetemp="$temporary/$name" \
    --junitxml="$results/$name.xml" "$@" >"$results/$name.log" 2>&1 || status=$?
  echo "== $name: status $status"
  tail -c "${TESSERA_GPU_TAIL:-5000}" "$results/$name.log"
  return $status
}

# in_process STAGE NAME ..: benchmarks of served_bench. The server's own libraries are found by its program only.
in_process() {
  local name=$1
  shift
  LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$here/server/nvidia_pytriton.libs \
    timeout 150 "$here/bin/served_bench" "$@" >"$results/$name.txt" 2>"$results/$name.log"
}

stage() {
  local of=$here/tests/gpu/served start=$SECONDS
  case $1 in
    faults) tests faults "$of/test_faults.py" ;;
    bench) in_process bench chain small disjoint ;;
    speed_bench) in_process speed_bench speed ;;
    grpc_bench) timeout 180 "$python" "$of/grpc_bench.py" >"$results/grpc_bench.txt" 2>"$results/grpc_bench.log" ;;
    several) tests several "$of/test_several.py" -k 'not cold_servers' ;;
    rest) # cold starts beside answers: they ask for the same GPUs, and say nothing of time
      TESSERA_GPU_STARTS=${TESSERA_GPU_STARTS:-20} TESSERA_GPU_LIMIT=240 tests cold "$of/test_several.py" -k cold_servers &
      local cold=$! status=0
      tests answers "$of/test_configuration.py" "$of/test_answers.py" || status=1
      wait "$cold" || status=1
      [ $status = 0 ] ;;
    *) echo "no stage '$1'" >&2; return 2 ;;
  esac || { echo "== $1 FAILED"; failed=1; }
  [ -f "$results/$1.txt" ] && cat "$results/$1.txt" && grep -v '^I[0-9]' "$results/$1.log" | tail -20
  echo "== $1: $((SECONDS - start)) s"
}

for name in TESSERA_NCCL NCCL_MULTI_RANK_GPU_ENABLE NCCL_MAX_CTAS CUDA_MODULE_LOADING TESSERA_GPU_LISTS; do
  [ -n "${!name:-}" ] && echo "$name=${!name}"
done
nvidia-smi --query-gpu=index,name,driver_version --format=csv,noheader
if [ "${1:-}" = pytest ]; then
  shift
  tests served "$here/tests/gpu/served" "$@"
  exit
fi
[ $# -gt 0 ] || set -- faults bench speed_bench grpc_bench several rest
for name in "$@"; do stage "$name"; done
exit $failed
