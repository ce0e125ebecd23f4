//! Lets the cells find this program's `read`. That symbol alone: `-rdynamic` would export 1,618 symbols of this program's own standard
//! library, and cells would run on those instead of on theirs.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,--export-dynamic-symbol=read");
    }
}
