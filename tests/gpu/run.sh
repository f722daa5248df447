#!/usr/bin/env bash
# Runs the GPU tests and benchmarks that were built elsewhere or here, and prints a table of results.
#   tests/gpu/run.sh [--bundle DIR] [--only test|bench] [-- gtest or bench arguments]
# DIR holds bin/ and lib/ as bundle.sh makes them; the default is the folder of this script, or build/gpu.
# Exit code 0: all passed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
bundle=$here
only=all
while [ $# -gt 0 ]; do
  case "$1" in
    --bundle) bundle=$(cd "$2" && pwd); shift 2 ;;
    --only) only=$2; shift 2 ;;
    --) shift; break ;;
    *) echo "usage: run.sh [--bundle DIR] [--only test|bench] [-- ARGUMENTS]" >&2; exit 2 ;;
  esac
done
[ -d "$bundle/bin" ] || { echo "no $bundle/bin: make it with tests/gpu/bundle.sh" >&2; exit 2; }

# The CUDA libraries of a Python environment, where the system has none.
for python in python3 /opt/torch/.venv/bin/python3; do
  site=$("$python" -c 'import nvidia; print(list(nvidia.__path__)[0])' 2>/dev/null) && break
done
found=$bundle/lib
[ -n "${site:-}" ] && for dir in "$site"/*/lib; do found=$found:$dir; done
export LD_LIBRARY_PATH=$found:/usr/local/cuda/lib64:/usr/local/nvidia/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export TESSERA_NVINFER_LIBRARY=${TESSERA_NVINFER_LIBRARY:-$bundle/lib/libnvinfer.so.11}
export CUDA_MODULE_LOADING=${CUDA_MODULE_LOADING:-LAZY} NCCL_NVLS_ENABLE=${NCCL_NVLS_ENABLE:-0}

nvidia-smi --query-gpu=index,name,driver_version --format=csv,noheader 2>/dev/null
logs=$(mktemp -d)
results=()
status=0

run() {  # run NAME SECONDS PROGRAM ARGUMENTS..: one row of the table
  local name=$1 limit=$2 start=$SECONDS rc
  shift 2
  timeout -k 10 "$limit" "$@" >"$logs/$name" 2>&1
  rc=$?
  local passed failed skipped
  passed=$(grep -c '^\[       OK' "$logs/$name")
  skipped=$(grep -c '^\[  SKIPPED \] .*(' "$logs/$name")
  failed=$(grep -c '^\[  FAILED  \] .*(' "$logs/$name")
  results+=("$(printf '| %-20s | %3s | %5s | %5s | %5s | %4ss |' "$name" "$rc" "$passed" "$failed" "$skipped" $((SECONDS - start)))")
  if [ $rc -ne 0 ]; then
    status=1
    echo "---- $name (rc $rc): what failed"
    grep -E -B12 '^\[  FAILED  \] .*\(|Failure$|FAILED:' "$logs/$name" | grep -v '^\[ *\(OK\|SKIPPED\|RUN\) ' | head -${TESSERA_GPU_LINES:-90}
    echo "---- its last lines"
    tail -8 "$logs/$name"
  fi
}

if [ "$only" != bench ]; then
  run cuda 120 "$bundle/bin/cuda_gpu_test" "$@"
  run nccl 240 "$bundle/bin/comm_nccl_gpu_test" "$@"
  run engine 240 "$bundle/bin/engine_gpu_test" "$@"
fi
if [ "$only" != test ]; then
  run bench 300 "$bundle/bin/gpu_bench" "$@"
  cat "$logs/bench" | grep -v -E '^\[[0-9]{4}-'
fi
echo
echo "| what                 |  rc |    ok | faild | skipd |  time |"
printf '%s\n' "${results[@]}"
if [ -n "${OUT:-}" ] && [ -d "$OUT" ]; then
  for log in "$logs"/*; do cp "$log" "$OUT/$(basename "$log").log"; done
fi
exit $status
