# The commands `test` and `bench` of ./dev, which sources this file.

RESULTS=build/results
RELEASE_TESTS="comm_inproc_conformance_test brute_force_test"
SANITIZED_THREADS="comm exec engine"  # the modules where threads meet: TSan runs their tests

# check NAME COMMAND..: a step that counts as one test.
check() {
  local name=$1; shift
  if step "$name" "$@"; then echo "ok $name" >>$RESULTS/checks; else echo "failed $name" >>$RESULTS/checks; return 1; fi
}

# tests NAME COMMAND..: a step whose tests are counted from the JUnit files that they leave; never stops the run.
tests() {
  step "$@" || echo "step $1" >>$RESULTS/checks
}

# What runs behind the tests, one after another at low priority: the end-to-end tests wait for servers half of their
# time, and each build is ready, or nearly, when its tests' turn comes. `finish NAME` waits for one, and gives its
# output and exit code.
start_behind() {
  set -m  # a process group of its own: end_behind ends all of it
  (
    renice -n 10 $BASHPID >/dev/null
    behind tidy $PYTHON tools/tidy.py build/release
    behind dev configure_and_build dev unit_tests
    behind tsan configure_and_build tsan $(printf 'tessera/%s/all ' $SANITIZED_THREADS)
    if [ -z "$GPU_MISSING" ]; then behind gpu configure_and_build gpu $PRODUCTS nvinfer_standin tensorrt_rtx_headers $GPU_TESTS; fi
  ) &
  BEHIND=$!
  set +m
  trap end_behind EXIT
}

behind() {
  local name=$1 code=0 started=$SECONDS; shift
  "$@" >"$RESULTS/$name.log" 2>&1 || code=$?
  echo "$name: $((SECONDS - started)) s, behind the tests" >>"$RESULTS/$name.log"
  echo $code >"$RESULTS/$name.code"
}

end_behind() {
  if kill -0 $BEHIND 2>/dev/null; then kill -- -$BEHIND; fi
}

finish() {
  until [ -s "$RESULTS/$1.code" ]; do
    kill -0 $BEHIND 2>/dev/null || break
    sleep 1
  done
  cat "$RESULTS/$1.log"
  return "$(cat "$RESULTS/$1.code" || echo 1)"
}

# ctest_in PRESET FOLDER ARGUMENT..: runs the ctest programs below build/PRESET/FOLDER.
ctest_in() {
  local preset=$1 folder=$2 name; shift 2
  name=$preset${folder:+-${folder//\//-}}
  GTEST_OUTPUT="xml:$PWD/$RESULTS/gtest-$name/" ctest --test-dir "build/$preset/$folder" -j "$(nproc)" \
    --output-on-failure --no-tests=error --output-junit "$PWD/$RESULTS/ctest-$name.xml" "$@"
}

run_pytest() {
  local path=$1; shift
  TESSERA=$PWD/build/release/bin/tessera TESSERA_BACKENDS=$PWD/build/release/backends \
    TESSERA_MODELS=$PWD/.cache/models TESSERA_ZOO=${TESSERA_ZOO:-$PWD/../shared/zoo} \
    $PYTHON -m pytest "$path" -ra "$@"
}

# The end-to-end tests run whole servers, in the release build; with sanitizers the modules' own tests run;
# RELEASE_TESTS run here in full, sanitizers see a part of them.
test_release() {
  tests "ctest (release)" ctest_in release "" -R "^(${RELEASE_TESTS// /|})$"
  tests "pytest" run_pytest tests -q --ignore=tests/bench --ignore=tests/gpu --junitxml=$RESULTS/pytest.xml
}

# ASan + UBSan over every module's own tests.
test_dev() {
  check "build (dev: ASan, UBSan)" finish dev || return 0
  tests "ctest (dev: ASan, UBSan)" ctest_in dev "" -LE "gpu|e2e"
}

# OpenVINO's own threads are not built for TSan, which then sees races that are none: its tests are left out here.
test_tsan() {
  local module
  check "build (tsan)" finish tsan || return 0
  for module in $SANITIZED_THREADS; do
    tests "ctest (tsan: $module)" ctest_in tsan "tessera/$module" -LE "gpu|e2e" -E '^openvino_'
  done
}

# The TensorRT adapter and the stand-in engine, where what they are compiled with is found; what needs no GPU is run.
GPU_TESTS="direct_steps_test replication_choice_test shape_values_test nvinfer_standin_test gpu_operators_test"
look_for_gpu_parts() {
  mkdir -p build/gpu
  cmake --preset gpu >build/gpu/configure.log 2>&1 || true
  GPU_MISSING=$(tr '\n' ' ' <build/gpu/configure.log | tr -s ' ' | grep -o 'GPU ranks need [^(]*' || true)
  if [ -z "$GPU_MISSING" ]; then install_wheels gpu; fi
}

test_gpu() {
  if [ -n "$GPU_MISSING" ]; then echo "skipped: TensorRT adapter and stand-in engine: $GPU_MISSING"; return; fi
  check "build (TensorRT adapter, stand-in engine)" finish gpu || return 0
  tests "ctest (TensorRT adapter, no GPU)" ctest_in gpu "" -R "^(${GPU_TESTS// /|})$"
}

test_set_up() {
  set_up
  install_packages $TEST_PACKAGES
  if grep -qx ID=debian /etc/os-release; then install_packages $BROWSER_PACKAGES; fi
  install_wheels test
  fetch_models
}

command_test() {
  test_set_up
  rm -rf $RESULTS; mkdir -p $RESULTS; : >$RESULTS/checks
  if check "build (release)" configure_and_build release $PRODUCTS $RELEASE_TESTS test_tools; then
    look_for_gpu_parts
    start_behind
    test_release
    check "clang-tidy, thread-safety analysis" finish tidy || true
    test_dev
    test_tsan
    test_gpu
  fi
  echo
  sed -n 's/^-- skipped: /skipped: /p' build/release/configure.log  # what CMake found no headers or libraries for
  $PYTHON tools/test_summary.py $RESULTS
}

# The google-benchmark programs, then tests/bench; with arguments only those of tests/bench that they choose.
command_bench() {
  local program
  test_set_up
  build release $PRODUCTS test_tools benchmarks
  if [ $# = 0 ]; then
    for program in build/release/bin/*_bench; do "$program" --benchmark_min_time=0.5; done
  fi
  run_pytest tests/bench -q -s "$@"
}
