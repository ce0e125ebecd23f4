#!/usr/bin/env bash
# The benchmark of the magics that time and profile, with what it needs: instruments.sh [options of instruments.py].
set -euo pipefail
# shellcheck source=install/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../install/environment.sh"

tests="$REPOSITORY/tests"
work="$CARGO_TARGET_DIR/tests/bench"
venv="$CARGO_TARGET_DIR/tests/venv"

need_rust
need_python
mkdir -p "$work"
build_kernel
make_environment "$venv" "$tests/requirements.txt"
install_kernel "$venv"
exec "$venv/bin/python" "$tests/bench/instruments.py" --work "$work" "$@"
