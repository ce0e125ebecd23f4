//! Lets the cells find this program's `read`. That symbol alone: `-rdynamic` would export 1,618 symbols of this program's own standard
//! library, and cells would run on those instead of on theirs.
//!
//! Says also where there are checkpoints: their means are those of one system. `ASSAY_NO_CHECKPOINTS` leaves them out there too, so that what other systems
//! have is compiled where it is tested.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=ASSAY_NO_CHECKPOINTS");
    println!("cargo::rustc-check-cfg=cfg(checkpoints)");
    let target = ["OS", "ARCH", "ENV"]
        .map(|part| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default());
    if target == ["linux", "x86_64", "gnu"] && std::env::var_os("ASSAY_NO_CHECKPOINTS").is_none() {
        println!("cargo::rustc-cfg=checkpoints");
    }
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,--export-dynamic-symbol=read");
    }
}
