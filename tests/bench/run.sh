#!/usr/bin/env bash
# The benchmark of the engines, with what it needs: run.sh [--evcxr-jupyter] [options of engines.py].
# --evcxr-jupyter measures evcxr_jupyter 0.22 itself beside them; it is built the first time, which takes minutes.
set -euo pipefail
# shellcheck source=install/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../install/environment.sh"

tests="$REPOSITORY/tests"
work="$CARGO_TARGET_DIR/tests/bench"
venv="$CARGO_TARGET_DIR/tests/venv"
version=0.22.0

# install_evcxr_jupyter: the program and its kernelspec (it is called `rust`) into the benchmark's own folder.
install_evcxr_jupyter() {
    local program="$work/evcxr_jupyter/bin/evcxr_jupyter"
    if [ ! -x "$program" ]; then
        say "Building evcxr_jupyter $version (about ten minutes on two cores, once)"
        CARGO_TARGET_DIR="$work/build" cargo install evcxr_jupyter --version "$version" --locked --root "$work/evcxr_jupyter" ||
            fail "evcxr_jupyter could not be built." "The messages above are cargo's. Without --evcxr-jupyter the rest is measured."
        rm -rf "$work/build"
    fi
    export JUPYTER_PATH="$work/jupyter"
    "$program" --install >/dev/null || fail "evcxr_jupyter could not be installed into $JUPYTER_PATH."
}

need_rust
need_python
mkdir -p "$work"
beside=()
if [ "${1-}" = --evcxr-jupyter ]; then
    shift
    beside=(--beside "evcxr_jupyter $version=rust")
fi
build_kernel
build_engine
make_environment "$venv" "$tests/requirements.txt"
install_kernel "$venv"
[ ${#beside[@]} -eq 0 ] || install_evcxr_jupyter
exec "$venv/bin/python" "$tests/bench/engines.py" --work "$work" ${beside[@]+"${beside[@]}"} "$@"
