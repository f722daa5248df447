#!/usr/bin/env bash
# Makes the cases of one model (make_cases.py: fp32 and fp16, 2 and 4 ranks), packed in parts that are no larger than
# PART_MIB, default 60:
#   tests/gpu/model_parts.sh MODEL.onnx FOLDER [BUILD_DIR] [PART_MIB] [CASES]      default build/gpu; CASES: make_cases.py
# There: cat models.tar.xz.* | tar -xJ -C MODELS, and run.sh (bundle.sh's or served_bundle.sh's) with
# TESSERA_GPU_MODELS=MODELS. The model's folder gives it its name.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
model=$1
folder=$2
build=${3:-$root/build/gpu}
part=${4:-60}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -f "$folder"/models.tar.xz.*  # of another run: should this one fail, there are none
"${TESSERA_PYTHON:-$root/.venv/bin/python}" "$root/tests/gpu/make_cases.py" "$build/bin/tessera" "$model" "$work" "${5:-*}"
rm -f "$work"/*/report.html
mkdir -p "$folder"
# 2 and 4 ranks hold the same weights: a window that is larger than the model stores them once.
tar -C "$work" -c . | xz -T1 --lzma2=preset=1,dict=512MiB | split -d -a 1 -b "${part}M" - "$folder/models.tar.xz."
ls -l "$folder"
