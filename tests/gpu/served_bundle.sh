#!/usr/bin/env bash
# Makes archives with all that the tests of GPU models in a real Triton need on a machine with GPUs, CUDA 13, NCCL and
# Python 3.12, but without a network:
#   tests/gpu/served_bundle.sh [BUILD_DIR] [FOLDER] [server] [python] [tests]      default: all three
# FOLDER/server.tar.xz (Triton) and python.tar.xz (packages) change with the locked versions only, tests.tar.xz with the
# code. There: unpack them into one folder and call its run.sh. Sharded models come in with a folder of bundle.sh beside.
# An archive that cannot be made is not there afterwards, whatever was there before, and the exit code is not 0.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${1:-$root/build/gpu}" && pwd)
mkdir -p "${2:-$root/build/served-bundle}"
folder=$(cd "${2:-$root/build/served-bundle}" && pwd)
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- server python tests
python=${TESSERA_PYTHON:-$root/.venv/bin/python}
site=$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
work=$(mktemp -d)
part=''

finish() {
  local status=$?
  rm -rf "$work"
  [ $status = 0 ] || echo "FAILED, exit code $status: there is no $folder/$part.tar.xz" >&2
}
trap finish EXIT

pack() {
  tar -C "$work/$1" -c . | xz -T0 -"${2:-4}" >"$work/$1.tar.xz"
  mv "$work/$1.tar.xz" "$folder/"
}

# Without the backend for Python models and its interpreter.
make_server() {
  mkdir -p "$work/server/server/pytriton/tritonserver/bin"
  cp "$site/pytriton/tritonserver/bin/tritonserver" "$work/server/server/pytriton/tritonserver/bin/"
  cp -r "$site/nvidia_pytriton.libs" "$work/server/server/"
  rm -f "$work"/server/server/nvidia_pytriton.libs/libpython*
  pack server
}

make_python() {
  "$root/tests/gpu/python_requirements.sh" >"$work/requirements.txt"
  "$python" -m pip install -q --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
    --python-version 3.12 --target "$work/python/python" -r "$work/requirements.txt"
  find "$work/python" -name __pycache__ -o -type d \( -name tests -o -name test \) -prune | xargs rm -rf
  pack python
}

make_tests() {
  local to=$work/tests openvino=$site/openvino/libs
  mkdir -p "$to"/{bin,lib,backends/tensorrt,models,tests/gpu,tests/triton}
  for program in write_model served_bench executor_speed; do strip -o "$to/bin/$program" "$build/bin/$program"; done
  strip -o "$to/lib/libnvinfer.so.11" "$build/lib/libnvinfer.so.11"
  strip -o "$to/backends/tensorrt/libtriton_tensorrt.so" "$build/backends/tensorrt/libtriton_tensorrt.so"
  strip -o "$to/lib/$(basename "$openvino"/libopenvino.so.*)" "$openvino"/libopenvino.so.*
  cp "$openvino"/libtbb.so.12 "$to/lib/"
  for file in "$to"/bin/* "$to/lib/libnvinfer.so.11" "$to"/backends/*/*; do
    ldd "$file" | awk '$3 ~ /^\// {print $3}'
  done | sort -u | grep -E '/lib(fmt|spdlog|protobuf|protobuf-lite|z|crypto)[.-]' |
    while read -r library; do cp -L "$library" "$to/lib/"; done
  if [ -x "$build/bin/tessera" ] && [ -d "${TESSERA_ZOO:-$root/../shared/zoo}" ]; then
    "$python" "$root/tests/gpu/make_cases.py" "$build/bin/tessera" "${TESSERA_ZOO:-$root/../shared/zoo}" "$work/models"
    "$python" "$root/tests/gpu/attention_model.py" "$build/bin/tessera" "$to/attention"
    for name in bert_dyn bert_dyn_fp16 gpt2_dyn llama_gqa_dyn vit; do cp -r "$work"/models/"$name"-[24] "$to/models/"; done
  else
    echo "without sharded models: no $build/bin/tessera or no zoo" >&2
  fi
  cp -r "$root/tests/gpu/served" "$to/tests/gpu/"
  cp "$root"/tests/triton/{server,clients,stacks}.py "$to/tests/triton/"
  cp "$root/tests/gpu/served/run.sh" "$to/run.sh"
  find "$to" -name __pycache__ -prune -exec rm -rf {} +
  pack tests 9
}

for part in "$@"; do rm -f "$folder/$part.tar.xz"; done
for part in "$@"; do "make_$part"; done
ls -l "$folder"
