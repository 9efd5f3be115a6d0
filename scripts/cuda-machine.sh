#!/usr/bin/env bash
# Runs the tests and benches of the `cuda` engine on a bare Linux machine with a card: no Node, no package registry.
#
#   scripts/cuda-machine.sh pack FILE.tar.xz          on a machine where `pnpm install` has run
#   scripts/cuda-machine.sh run FILE.tar.xz FOLDER    on the other one, in a checkout: tests, then benches
#   scripts/cuda-machine.sh test FILE.tar.xz FOLDER [files of tests…]
#   scripts/cuda-machine.sh bench FILE.tar.xz FOLDER [names and options of bench:cuda…]
#
# FOLDER gets machine.txt, test.log, bench.log, bench.jsonl and RESULTS.md, also of what was interrupted. Each part is
# ended after TEST_SECONDS and BENCH_SECONDS, if they are set.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

usage() {
  sed -n '4,7s/^# *//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

unpack() {
  if command -v xz >/dev/null && tar -xJf "$1"; then return; fi
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall()' "$1"
}

# Folders of NVIDIA's libraries among the packages of the Python that has PyTorch, so that both sides use the same ones.
nvidia_packages() {
  python3 - <<'PYTHON'
import glob, os, sys

found = (os.path.dirname(file) for path in sys.path for file in glob.glob(os.path.join(path, "nvidia/*/lib/lib*.so*")))
print(":".join(dict.fromkeys(found)))
PYTHON
}

describe() {
  date -u
  uname -srm
  nvidia-smi || echo 'no nvidia-smi'
  echo "node $(node --version)"
  python3 -c 'import torch; print("torch", torch.__version__, "CUDA", torch.version.cuda, torch.cuda.is_available())' ||
    echo 'no PyTorch'
}

limited() {
  if [ -n "$1" ]; then timeout "$1" "${@:2}"; else "${@:2}"; fi
}

run_tests() {
  limited "${TEST_SECONDS:-}" node scripts/test-cuda.mjs "$@" 2>&1 | tee "$folder/test.log"
}

run_benches() {
  limited "${BENCH_SECONDS:-}" node scripts/bench-cuda.mjs --lines "$folder/bench.jsonl" --out "$folder/RESULTS.md" "$@" \
    2>&1 | tee "$folder/bench.log"
}

[ $# -ge 2 ] || usage
part=$1 archive=$2
if [ "$part" = pack ]; then exec node scripts/cuda-machine.mjs "${@:2}"; fi
[ $# -ge 3 ] || usage
folder=$3
shift 3
mkdir -p "$folder" || exit
unpack "$archive" || exit
export PATH="$PWD/.cuda-machine/bin:$PATH"
export OCELLI_CUDA_LIBRARIES="${OCELLI_CUDA_LIBRARIES:-$(nvidia_packages)}"
describe 2>&1 | tee "$folder/machine.txt"

case $part in
  test) run_tests "$@" ;;
  bench) run_benches "$@" ;;
  run)
    run_tests
    tests=$?
    run_benches
    benches=$?
    [ $tests -eq 0 ] && [ $benches -eq 0 ]
    ;;
  *) usage ;;
esac
