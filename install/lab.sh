#!/usr/bin/env bash
# One command on a fresh machine: builds Assay, puts it into a JupyterLab of its own, and opens the course.
set -euo pipefail
# shellcheck source=install/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

usage() {
    cat <<'TEXT'
Usage: install/lab.sh [--no-browser] [JUPYTERLAB OPTIONS…]
       install/lab.sh --run NOTEBOOK [--run NOTEBOOK…]

Builds the kernel, installs it into a virtual environment with JupyterLab, and opens the course.
Run again, it starts within seconds, also without a network. The evcxr engine (`%engine evcxr`, and
completion of Rust's own names) is built in the background while JupyterLab is open.

  --no-browser      do not open a browser; print the address (on a server)
  --run NOTEBOOK    execute a notebook without a window and write the result beside it, as NAME.nbconvert.ipynb
  --in-place        with --run: write the result into the notebook itself
  -h, --help        show this

The environment lies in $ASSAY_LAB, or else below the user's data folder: ~/.local/share/assay/lab.
TEXT
}

parse() {
    notebooks=() options=() place=()
    while [ $# -gt 0 ]; do
        case $1 in
        -h | --help)
            usage
            exit 0
            ;;
        --run)
            [ $# -ge 2 ] || fail "--run needs a notebook." "$(usage | head -n2)"
            [ -f "$2" ] || fail "There is no notebook $2."
            notebooks+=("$2")
            shift
            ;;
        --in-place) place=(--inplace) ;;
        *) options+=("$1") ;;
        esac
        shift
    done
}

# Everything that a notebook needs before it can run; quick when it is there.
prepare() {
    need_rust
    need_python
    lab=${ASSAY_LAB:-${XDG_DATA_HOME:-$HOME/.local/share}/assay/lab}
    case $lab in /*) ;; *) lab=$PWD/$lab ;; esac
    add_rust_src
    # The packages come from the network, and the compiler needs the processors: both at once.
    make_environment "$lab" "$REPOSITORY/install/requirements.txt" &
    environment=$!
    trap 'kill "$environment" 2>/dev/null || true' EXIT
    build_kernel
    wait "$environment" || exit 1
    trap - EXIT
    install_kernel "$lab"
    quiet_lab
}

# JupyterLab asks at every first start whether it may fetch news, in a window that lies over the page. Whoever wants them finds the question in its settings.
quiet_lab() {
    local folder=$lab/share/jupyter/lab/settings
    [ -f "$folder/overrides.json" ] && return 0
    mkdir -p "$folder"
    cat >"$folder/overrides.json" <<'JSON'
{
  "@jupyterlab/apputils-extension:notification": { "fetchNews": "false" }
}
JSON
}

# Whether a notebook changes to the evcxr engine: then its program is built before the notebook runs. Nothing is built behind a notebook
# that is run without a window: whoever waits for the script's end expects that nothing of it goes on.
needs_engine() {
    [ "${ASSAY_ENGINE:-}" = evcxr ] || grep -q '%engine evcxr' -- "${notebooks[@]}"
}

run_notebooks() {
    local notebook target
    for notebook in "${notebooks[@]}"; do
        target=${notebook%.ipynb}.nbconvert.ipynb
        [ ${#place[@]} -eq 0 ] || target=$notebook
        say "Running $notebook"
        "$lab/bin/jupyter" nbconvert --to notebook --execute --ExecutePreprocessor.record_timing=False \
            --ExecutePreprocessor.kernel_name=assay ${place[@]+"${place[@]}"} "$notebook" ||
            fail "$notebook did not run to its end." "The error above names the cell."
        say "Written: $target"
    done
}

parse "$@"
prepare
if [ ${#notebooks[@]} -gt 0 ]; then
    ! needs_engine || build_engine
    run_notebooks
else
    # This process becomes JupyterLab.
    build_engine_behind $$
    say "Opening the course in JupyterLab (Ctrl-C twice ends it)"
    cd "$REPOSITORY/notebooks"
    # In a container everybody is root, and Jupyter refuses to start for root unless it is told to.
    [ "$(id -u)" -ne 0 ] || options+=(--allow-root)
    exec "$lab/bin/jupyter" lab ${options[@]+"${options[@]}"} 00-tour.ipynb
fi
