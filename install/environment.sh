# shellcheck shell=bash
# What the scripts here and tests/run.sh share: words for the person, Rust, Python, and the build of the programs.
# It is sourced after `set -euo pipefail`, and does nothing by itself.

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Where the program is built. The scripts and the kernelspec must agree on it, whatever the user's cargo is set to.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$REPOSITORY/target}"

# Colours are for a terminal, not for a log.
if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
    BOLD=$'\033[1m' YELLOW=$'\033[1;33m' RED=$'\033[1;31m' PLAIN=$'\033[0m'
else
    BOLD='' YELLOW='' RED='' PLAIN=''
fi

# say TEXT: tells the person what happens next.
say() {
    printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*" >&2
}

# note TEXT: something that is not as it should be, but does not stop us.
note() {
    printf '%snote:%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2
}

# fail TEXT REMEDY…: what is wrong, and what to do; then the end.
fail() {
    printf '%serror:%s %s\n' "$RED" "$PLAIN" "$1" >&2
    shift
    [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
    exit 1
}

# need_rust: insists on a Rust toolchain that is new enough. cargo of a fresh rustup is found even before a new login.
need_rust() {
    local floor found
    if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    fi
    if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
        fail "Rust is not installed (there is no cargo or no rustc on PATH)." \
            "Install it from https://rustup.rs:" \
            "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" \
            "then run this again."
    fi
    floor=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$REPOSITORY/Cargo.toml")
    found=$(rustc --version | cut -d' ' -f2)
    if [ "$(printf '%s\n%s\n' "$floor" "${found%%-*}" | sort -V | head -n1)" != "$floor" ]; then
        fail "Rust $found is too old: $floor or newer is needed." "Update it: rustup update stable"
    fi
    if ! command -v cc >/dev/null && ! command -v clang >/dev/null; then
        fail "There is no C compiler, and Rust links with it." \
            "On Debian or Ubuntu: apt-get install build-essential" "On a Mac: xcode-select --install"
    fi
}

# need_python: insists on Python 3 with venv; sets PYTHON.
need_python() {
    PYTHON=$(command -v python3 || true)
    [ -n "$PYTHON" ] || fail "Python 3 is not installed (there is no python3 on PATH), and Jupyter runs on it." \
        "On Debian or Ubuntu: apt-get install python3 python3-venv" "Elsewhere: https://www.python.org/downloads/"
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        fail "$("$PYTHON" --version) is too old: JupyterLab needs 3.10 or newer." "Install a newer python3 and put it first on PATH."
    "$PYTHON" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "This Python cannot make virtual environments (its venv or ensurepip module is missing)." \
            "On Debian or Ubuntu: apt-get install python3-venv"
}

# add_rust_src: the standard library's source, which completion reads.
add_rust_src() {
    [ ! -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std/src/lib.rs" ] || return 0
    say "Adding the standard library's source (completion reads it)"
    if ! { command -v rustup >/dev/null && (cd "$REPOSITORY" && rustup component add rust-src); }; then
        note "rust-src could not be added: cells run, but completion and tooltips know nothing of Rust." \
            "Later: rustup component add rust-src"
    fi
}

# make_environment FOLDER REQUIREMENTS: a virtual environment with these packages, unless it is there and up to date.
make_environment() {
    local folder=$1 requirements=$2 stamp
    stamp="$folder/.requirements"
    if [ -x "$folder/bin/python" ] && cmp -s "$requirements" "$stamp" && "$folder/bin/python" -c '' 2>/dev/null; then
        return 0
    fi
    say "Setting up Python packages in $folder (about a minute)"
    "$PYTHON" -m venv --clear "$folder" || fail "No virtual environment could be made in $folder." "Is the folder writable?"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements" ||
        fail "The Python packages could not be installed." "Is the network up? The messages above are pip's."
    cp "$requirements" "$stamp"
}

# The program of the evcxr engine, and what install/engine.sh leaves beside it.
ENGINE=$CARGO_TARGET_DIR/release/assay-evcxr
ENGINE_MARK=$ENGINE.building
ENGINE_LOG=$ENGINE.log

# build PACKAGE…: programs in the release profile. cargo shows its own progress. One after the other, as everything here builds them: built
# together they would share features, and the engine's dependencies, minutes of them, would be built twice.
build() {
    local package
    for package in "$@"; do
        (cd "$REPOSITORY" && cargo build --release --locked -p "$package") ||
            fail "$package could not be built." "The messages above are the compiler's." \
                "Without a network it can be built only where its dependencies have been downloaded before."
    done
}

# build_kernel: the kernel, and the program that runs the native engine's cells.
build_kernel() {
    # cargo would wait for the other build to its end.
    if [ -n "$(engine_builder)" ] && [ -x "$CARGO_TARGET_DIR/release/assay" ] && [ -x "$CARGO_TARGET_DIR/release/assay-child" ]; then
        note "The evcxr engine is being built by another start; the kernel is taken as it is."
        return 0
    fi
    say "Building the kernel (the first time two or three minutes on two cores; later a second)"
    build assay-kernel assay-child
}

# build_engine: the program of the evcxr engine, which contains rust-analyzer.
build_engine() {
    say "Building the evcxr engine (the first time about eight minutes on two cores; later a second)"
    build assay-evcxr
}

# engine_builder: the number of the process that builds the evcxr engine behind a JupyterLab; nothing where there is none.
engine_builder() {
    local pid
    pid=$(cat "$ENGINE_MARK" 2>/dev/null || true)
    [ -z "$pid" ] || ! kill -0 "$pid" 2>/dev/null || echo "$pid"
}

# build_engine_behind PID: builds the evcxr engine while the process PID lives, unless somebody does already.
build_engine_behind() {
    if [ -n "$(engine_builder)" ]; then
        return 0
    fi
    if [ "$(tail -n1 "$ENGINE_LOG" 2>/dev/null)" = failed ]; then
        note "The last build of the evcxr engine failed ($ENGINE_LOG says why); it is tried again."
    fi
    [ -x "$ENGINE" ] ||
        say "The evcxr engine, which also completes Rust's own names, is built in the background: about eight minutes ($ENGINE_LOG)." \
            "Cells run meanwhile; what is timed is noisier until it is done. The build ends with JupyterLab, and goes on with the next start."
    bash "$REPOSITORY/install/engine.sh" "$1" >/dev/null 2>&1 </dev/null &
}

# install_kernel FOLDER: tells the Jupyter in a virtual environment where the kernel is.
install_kernel() {
    "$CARGO_TARGET_DIR/release/assay" install --prefix "$1" >/dev/null ||
        fail "The kernel could not be installed into $1." "$CARGO_TARGET_DIR/release/assay doctor says more."
}
