#!/usr/bin/env bash
# Runs the GPU tests and benchmarks that were built elsewhere or here, and prints a table of results.
#   tests/gpu/run.sh [--bundle DIR] [--only WHAT,..] [-- gtest arguments]
# WHAT: test, bench, peer, or some of theirs: cuda, engine, zoo, nccl, bench_overhead, .., peer_mlp, peer_attention.
# DIR holds bin/, lib/, models/ and attention/ as bundle.sh makes them; the default is the folder of this script. With
# $OUT set, each log is there as soon as its program ends. Exit code 0: all passed.
# TESSERA_GPUS=2,3 takes these GPUs; TESSERA_GPUS=0,0 has two ranks share one, which needs NCCL 2.30: TESSERA_NCCL=DIR
# names the folder of its libnccl.so.2.
set -u
here=$(cd "$(dirname "$0")" && pwd)
bundle=$here
only=all
while [ $# -gt 0 ]; do
  case "$1" in
    --bundle) bundle=$(cd "$2" && pwd); shift 2 ;;
    --only) only=$2; shift 2 ;;
    --) shift; break ;;
    *) echo "usage: run.sh [--bundle DIR] [--only WHAT,..] [-- ARGUMENTS]" >&2; exit 2 ;;
  esac
done
[ -d "$bundle/bin" ] || { echo "no $bundle/bin: make it with tests/gpu/bundle.sh" >&2; exit 2; }

# The CUDA libraries of a Python environment, where the system has none.
for python in python3 /opt/torch/.venv/bin/python3; do
  site=$("$python" -c 'import nvidia; print(list(nvidia.__path__)[0])' 2>/dev/null) && break
done
found=$bundle/lib${TESSERA_NCCL:+:$TESSERA_NCCL}
[ -n "${site:-}" ] && for dir in "$site"/*/lib; do found=$found:$dir; done
export LD_LIBRARY_PATH=$found:/usr/local/cuda/lib64:/usr/local/nvidia/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export TESSERA_NVINFER_LIBRARY=${TESSERA_NVINFER_LIBRARY:-$bundle/lib/libnvinfer.so.11}
export TESSERA_GPU_MODELS=${TESSERA_GPU_MODELS:-$bundle/models}
export TESSERA_ATTENTION=${TESSERA_ATTENTION:-$bundle/attention}
if [ "$(tr , '\n' <<<"${TESSERA_GPUS:-}" | sort | uniq -d)" ]; then
  # Ranks that share a GPU: their collectives must run at the same time, and nobody may wait for the whole GPU.
  export NCCL_MULTI_RANK_GPU_ENABLE=1 NCCL_MAX_CTAS=${NCCL_MAX_CTAS:-2} CUDA_DEVICE_MAX_CONNECTIONS=32
  export CUDA_MODULE_LOADING=${CUDA_MODULE_LOADING:-EAGER}
fi
export CUDA_MODULE_LOADING=${CUDA_MODULE_LOADING:-LAZY} NCCL_NVLS_ENABLE=${NCCL_NVLS_ENABLE:-0}
export NCCL_GRAPH_MIXING_SUPPORT=${NCCL_GRAPH_MIXING_SUPPORT:-0}  # see docs/multi_device.md

nvidia-smi --query-gpu=index,name,driver_version --format=csv,noheader 2>/dev/null
logs=$(mktemp -d)

# wanted GROUP NAME
wanted() {
  [ "$only" = all ] || [[ ",$only," == *,"$1",* ]] || [[ ",$only," == *,"$2",* ]]
}
results=()
status=0

finish() {  # finish NAME RC START: one row of the table, and what failed
  local name=$1 rc=$2 start=$3 log=$logs/$1
  local passed failed skipped
  passed=$(grep -c '^\[       OK' "$log")
  skipped=$(grep -c '^\[  SKIPPED \] .*([0-9]* ms)$' "$log")
  failed=$(grep -c '^\[  FAILED  \] .*([0-9]* ms)$' "$log")
  results+=("$(printf '| %-20s | %3s | %5s | %5s | %5s | %4ss |' "$name" "$rc" "$passed" "$failed" "$skipped" \
    $((SECONDS - start)))")
  if [ "$rc" -ne 0 ]; then
    status=1
    echo "---- $name (rc $rc): what failed"
    grep -E -B12 '^\[  FAILED  \] .*\(|Failure$|FAILED:|^DIED ' "$log" | grep -v '^\[ *\(OK\|SKIPPED\|RUN\) ' |
      head "-${TESSERA_GPU_LINES:-60}"
    echo "---- its last lines"
    tail -8 "$log"
  fi
  if [ -n "${OUT:-}" ] && [ -d "$OUT" ]; then cp "$log" "$OUT/$name.log"; fi
}

run() {  # run NAME SECONDS PROGRAM ARGUMENTS..
  local name=$1 limit=$2 start=$SECONDS rc
  shift 2
  timeout -k 5 "$limit" "$@" >"$logs/$name" 2>&1
  rc=$?
  finish "$name" $rc "$start"
}

# run_each NAME SECONDS PROGRAM ARGUMENTS..: each test in a process of its own, at most SECONDS, all at most five times
# as long: one that hangs or crashes takes no other with it.
run_each() {
  local name=$1 limit=$2 program=$3 start=$SECONDS rc=0 suite='' line this
  shift 3
  : >"$logs/$name"
  while read -r line; do
    line=${line%%#*}
    line=${line// /}
    if [[ $line == *. ]]; then
      suite=$line
      continue
    fi
    if [ $((SECONDS - start)) -gt $((5 * limit)) ]; then
      echo "DIED $suite$line: not run, no time left" >>"$logs/$name"
      rc=124
      continue
    fi
    timeout -k 5 "$limit" "$program" "--gtest_filter=$suite$line" >>"$logs/$name" 2>&1
    this=$?
    [ $this -gt 1 ] && echo "DIED $suite$line: exit code $this (124: it hung)" >>"$logs/$name"
    [ $this -ne 0 ] && rc=$this
  done < <("$program" --gtest_list_tests "$@" | grep -v '^Running main')
  finish "$name" $rc "$start"
}

wanted test cuda && run cuda 60 "$bundle/bin/cuda_gpu_test" "$@"
wanted test engine && run_each engine 60 "$bundle/bin/engine_gpu_test" "$@"
wanted test zoo && run zoo 300 "$bundle/bin/zoo_gpu_test" "$@"
for bench in replicate overhead interrupts in_flight launch mlp attention read load; do
  wanted bench "bench_$bench" || continue
  limit=150
  [ $bench = load ] && limit=300  # each load in a process of its own
  run "bench_$bench" $limit "$bundle/bin/gpu_bench" "$bench"
  grep -v -E '^\[[0-9]{4}-' "$logs/bench_$bench"
done
for peer in mlp attention; do
  wanted peer "peer_$peer" || continue
  torch=$(for python in python3 /opt/torch/.venv/bin/python3; do
    "$python" -c 'import torch' 2>/dev/null && echo "$python" && break
  done)
  if [ -z "$torch" ]; then
    echo "peer_$peer: no Python with PyTorch here"
    continue
  fi
  run "peer_$peer" 240 env -u LD_LIBRARY_PATH "$torch" "$bundle/peer.py" "$peer"
  cat "$logs/peer_$peer"
done
wanted test nccl && run nccl 240 "$bundle/bin/comm_nccl_gpu_test" "$@"
echo
echo "| what                 |  rc |    ok | faild | skipd |  time |"
printf '%s\n' "${results[@]}"
exit $status
