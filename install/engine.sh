#!/usr/bin/env bash
# Builds the program of the evcxr engine behind a JupyterLab that is already open: `engine.sh PID` works for as long as that process lives,
# and not a moment longer. Nobody should have to look for what still runs after the window is closed; and nothing is lost by the end, because
# cargo keeps every crate that it has finished and the next start goes on from there.
#
# Beside the program it writes two files that the kernel and the next start read:
#   assay-evcxr.building   the number of the process that builds it
#   assay-evcxr.log        what cargo said; its last line is `failed` where it failed
set -euo pipefail
# shellcheck source=install/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

owner=$1

# take: makes the mark ours; false where another build lives.
take() {
    local other
    mkdir -p "$(dirname "$ENGINE_MARK")"
    # Only one of many can make a file that must not be there.
    (set -o noclobber && echo "$$" >"$ENGINE_MARK") 2>/dev/null && return 0
    other=$(engine_builder) && [ -n "$other" ] && return 1
    # Who made it is gone.
    rm -f "$ENGINE_MARK"
    (set -o noclobber && echo "$$" >"$ENGINE_MARK") 2>/dev/null
}

take || exit 0
trap 'rm -f "$ENGINE_MARK"' EXIT
# A group of its own, which can be ended as a whole.
set -m
(cd "$REPOSITORY" && exec nice -n 10 cargo build --release --locked -p assay-evcxr) >"$ENGINE_LOG" 2>&1 </dev/null &
build=$!
set +m
while kill -0 "$build" 2>/dev/null; do
    if ! kill -0 "$owner" 2>/dev/null; then
        kill -- "-$build" 2>/dev/null || true
        break
    fi
    sleep 1
done
if ! wait "$build"; then
    # An end with its owner is no failure.
    ! kill -0 "$owner" 2>/dev/null || echo failed >>"$ENGINE_LOG"
    exit 1
fi
