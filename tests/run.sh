#!/usr/bin/env bash
# Every test with one command, on a fresh machine with Rust, Python 3 and the package registries. Ends with one line:
# "N passed, N failed, N skipped". Run again, it reuses what it has built.
set -euo pipefail
# shellcheck source=install/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/../install/environment.sh"

tests="$REPOSITORY/tests"
work="$CARGO_TARGET_DIR/tests"
venv="$work/venv"
passed=0 failed=0 skipped=0

# step NAME COMMAND…: a check that passes or fails as a whole. Later steps run all the same.
step() {
    local name=$1
    shift
    say "$name"
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        note "failed: $name"
    fi
}

# counted NAME COUNTER COMMAND…: a run of many tests. COUNTER finds "passed failed skipped" in its log; a run that fails
# without a failed test (it did not even start) counts as one.
counted() {
    local name=$1 counter=$2 log status=0 p f s
    shift 2
    say "$name"
    log="$work/${name// /-}.log"
    "$@" 2>&1 | tee "$log" || status=$?
    read -r p f s < <("$counter" "$log")
    if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
        note "$name ended with status $status"
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# Both of cargo's test runners, the many lines of `cargo test` summed.
count_cargo() {
    sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
        /^test result:/ { p += $4; f += $6; s += $8 }
        /^ *Summary \[/ { for (i = 2; i <= NF; i++) {
            if ($i ~ /^passed/) p += $(i - 1); if ($i ~ /^skipped/) s += $(i - 1)
            if ($i ~ /^failed/ || $i ~ /^timed/) f += $(i - 1) } }
        END { print p + 0, f + 0, s + 0 }'
}

# pytest writes its figures into an attribute list, which its screen output is not.
count_pytest() {
    "$venv/bin/python" - "$work/pytest.xml" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree

try:
    suites = list(tree.parse(sys.argv[1]).getroot().iter("testsuite"))
except (OSError, tree.ParseError):
    suites = []
total, bad, skipped = (sum(int(s.get(k, 0)) for s in suites for k in keys) for keys in (["tests"], ["failures", "errors"], ["skipped"]))
print(total - bad - skipped, bad, skipped)
PYTHON
}

# The unit tests, each with a time limit of its own where the runner has one. Some of them start the process that runs cells.
unit_tests() {
    cargo build --locked -p assay-child || return
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --locked && limited 600 cargo test --locked --doc
    else
        note "cargo-nextest is not installed: cargo test runs instead, within one limit for all (cargo install --locked cargo-nextest)"
        limited 1200 cargo test --locked --no-fail-fast
    fi
}

# What rustc compiles for if nobody says anything.
host() {
    rustc -vV | sed -n 's/^host: //p'
}

# The store hands memory from one library to another by pointer: a sanitizer looks at what it does.
can_sanitize() {
    case $(host) in
    x86_64-unknown-linux-gnu | aarch64-unknown-linux-gnu | x86_64-apple-darwin | aarch64-apple-darwin) ;;
    *) return 1 ;;
    esac
}

# The option is an unstable one, and a program with it needs libraries of its own.
sanitized_tests() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address" limited 600 \
        cargo test --locked -p assay-cell --lib --target "$(host)" --target-dir "$CARGO_TARGET_DIR/sanitized"
}

engine_tests() {
    limited 1200 cargo test --release --locked -p assay-evcxr --no-fail-fast
}

# limited SECONDS COMMAND…: ends a command that hangs (a Mac has no timeout).
limited() {
    local seconds=$1
    shift
    if command -v timeout >/dev/null; then
        timeout --kill-after=10 "$seconds" "$@"
    else
        "$@"
    fi
}

# The engine is linted in the profile in which it is built: its dependencies, minutes of them, are built once.
lint_engine() {
    local driver
    driver="$(rustc --print sysroot)/bin/clippy-driver"
    CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__" RUSTC_WORKSPACE_WRAPPER="$driver" \
        cargo build --release --locked -p assay-evcxr
}

# What systems without checkpoints and counts have, in a folder of its own: the other one is not to be built again for it.
lint_without_checkpoints() {
    ASSAY_NO_CHECKPOINTS=1 ASSAY_NO_HEAP=1 CARGO_TARGET_DIR="$CARGO_TARGET_DIR/without" \
        cargo clippy --locked -p assay-child --all-targets -- -D warnings
}

lint_shell() {
    if command -v shellcheck >/dev/null; then
        shellcheck --external-sources --source-path="$REPOSITORY" "$REPOSITORY"/install/*.sh "$tests/run.sh" "$tests/bench/run.sh" "$REPOSITORY/.ci/run"
    else
        note "shellcheck is not installed: the scripts are not checked"
    fi
}

lint_tests() {
    set -- --no-cache --config "$tests/ruff.toml" "$tests" "$REPOSITORY"/notebooks/*.py
    "$venv/bin/ruff" check "$@" && "$venv/bin/ruff" format --check "$@"
}

# as_root COMMAND…: runs it when we may.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

find_browser() {
    command -v chromium || command -v chromium-browser || command -v google-chrome || true
}

# A browser for the tests in JupyterLab. Without one they are skipped, and say so.
need_browser() {
    if [ -z "$(find_browser)" ] && command -v apt-get >/dev/null; then
        say "Installing Chromium for the tests in JupyterLab"
        { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } \
            >"$work/apt.log" 2>&1 || true
    fi
    ASSAY_BROWSER=$(find_browser)
    [ -n "$ASSAY_BROWSER" ] || note "There is no Chromium: the tests in JupyterLab are skipped (apt-get install chromium)"
    export ASSAY_BROWSER
}

kernel_tests() {
    rm -f "$work/pytest.xml"
    "$venv/bin/python" -m pytest -c "$tests/pytest.ini" "$tests" --junit-xml="$work/pytest.xml" "$@"
}

# The last line, whatever happened: an end before the tests were through is a failure too.
finished=no
sum_up() {
    [ "$finished" = yes ] || failed=$((failed + 1))
    echo
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ] || exit 1
}
trap sum_up EXIT

cd "$REPOSITORY"
mkdir -p "$work"
need_rust
need_python
add_rust_src
step "Formatting" cargo fmt --check
step "Lints" cargo clippy --locked --all-targets -- -D warnings
step "Lints without checkpoints" lint_without_checkpoints
step "Lints of the scripts" lint_shell
counted "Unit tests" count_cargo unit_tests
if can_sanitize; then
    counted "Tests of the store under a sanitizer" count_cargo sanitized_tests
else
    note "AddressSanitizer does not know this system: the store is not tested under it"
    skipped=$((skipped + 1))
fi
say "Lints and build of the engine (the first time about eight minutes on two cores)"
step "Lints of the engine" lint_engine
build_kernel
build_engine
counted "Engine tests" count_cargo engine_tests
make_environment "$venv" "$tests/requirements.txt"
install_kernel "$venv"
step "Lints of the kernel tests" lint_tests
need_browser
counted "Kernel tests" count_pytest kernel_tests "$@"

finished=yes
