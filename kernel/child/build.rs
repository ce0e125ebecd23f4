//! Lets the cells find this program's `read`, and where the heap can be counted (`src/heap.rs`) its `malloc` and what belongs to that, and where stacks can be walked
//! (`src/unwind.rs`, `src/sampler.rs`) its `pthread_create`. These symbols alone: `-rdynamic` would export 1,618 symbols of this program's own standard library, and cells
//! would run on those instead of on theirs.
//!
//! Says also where there are checkpoints: their means are those of one system. `ASSAY_NO_CHECKPOINTS` leaves them out there too, `ASSAY_NO_HEAP` what counts, and
//! `ASSAY_NO_STACKS` what walks stacks, so that what other systems have is compiled where it is tested.

use std::env::{var, var_os};

/// All that allocates or frees: what one of them gives, the others take.
const HEAP: [&str; 10] = [
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "free",
    "memalign",
    "aligned_alloc",
    "posix_memalign",
    "valloc",
    "pvalloc",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let [os, architecture, environment] =
        ["OS", "ARCH", "ENV"].map(|part| var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default());
    let glibc = os == "linux" && environment == "gnu";
    choose("checkpoints", "ASSAY_NO_CHECKPOINTS", glibc && architecture == "x86_64");
    if choose("heap", "ASSAY_NO_HEAP", glibc) {
        HEAP.into_iter().for_each(export);
    }
    if choose("stacks", "ASSAY_NO_STACKS", glibc && matches!(&*architecture, "x86_64" | "aarch64")) {
        export("pthread_create");
    }
    if os == "linux" {
        export("read");
    }
}

/// Has a part of this program compiled in, if it is possible and a variable does not say otherwise.
fn choose(part: &str, without: &str, possible: bool) -> bool {
    println!("cargo::rustc-check-cfg=cfg({part})");
    println!("cargo::rerun-if-env-changed={without}");
    let chosen = possible && var_os(without).is_none();
    if chosen {
        println!("cargo::rustc-cfg={part}");
    }
    chosen
}

fn export(symbol: &str) {
    for kind in ["bins", "examples"] {
        println!("cargo::rustc-link-arg-{kind}=-Wl,--export-dynamic-symbol={symbol}");
    }
}
