//! The asynchronous runtime of a notebook: tokio's, where tokio is among the crates. It is compiled once, with the layer that has tokio in it.

use super::cargo::{Kind, Library};

/// The module of a layer that has it.
pub(super) const MODULE: &str = "assay_runtime";

/// Which of the crates is a tokio that has a runtime.
pub(super) fn of(crates: &[&Library]) -> Option<usize> {
    let runs = |one: &Library| one.name == "tokio" && is_known(&one.package) && has(one, "rt");
    crates.iter().filter(|one| one.kind == Kind::Rlib).position(|one| runs(one))
}

/// Whether it is tokio 1: others are made otherwise. `registry+https://…#tokio@1.48.0`, `path+file:///…/tokio#1.48.0`.
fn is_known(package: &str) -> bool {
    let version = package.rsplit(['#', '@']).next();
    version.is_some_and(|version| version.starts_with("1."))
}

fn has(library: &Library, feature: &str) -> bool {
    library.features.iter().any(|other| other == feature)
}

/// The module, for a layer in whose text the crate is called `tokio`. What cells call of it is `start`, on the thread that runs them: from then on
/// `tokio::spawn` finds the runtime there, in cells that await and in others. There is one for the process, which ends with it.
pub(super) fn module(library: &Library, tokio: &str) -> String {
    let builder = if has(library, "rt-multi-thread") { "new_multi_thread" } else { "new_current_thread" };
    format!(
        "pub mod {MODULE} {{
    use super::{tokio}::runtime::{{Builder, Runtime}};
    use std::{{future::Future, pin::Pin, sync::OnceLock}};
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    pub fn start() {{
        RUNTIME.get_or_init(|| match Builder::{builder}().enable_all().build() {{
            Ok(runtime) => {{
                std::mem::forget(runtime.enter());
                ::assay::cell::use_runtime(drive);
                Some(runtime)
            }}
            Err(error) => {{
                eprintln!(\"tokio has no runtime: {{error}}\");
                None
            }}
        }});
    }}
    fn drive(cell: Pin<&mut dyn Future<Output = ()>>) {{
        match RUNTIME.get() {{
            Some(Some(runtime)) => runtime.block_on(cell),
            _ => (),
        }}
    }}
}}"
    )
}

#[cfg(test)]
mod tests {
    use super::super::cargo::{Kind, Library};
    use super::{module, of};

    fn library(name: &str, package: &str, features: &[&str]) -> Library {
        Library {
            package: package.to_owned(),
            name: name.to_owned(),
            file: format!("/l/lib{name}.rlib").into(),
            kind: Kind::Rlib,
            features: features.iter().map(|feature| (*feature).to_owned()).collect(),
            fresh: true,
        }
    }

    #[test]
    fn a_tokio_with_a_runtime_is_found() {
        let check = |package, features: &[&str], expected| {
            let (tokio, other) =
                (library("tokio", package, features), library("regex", "r#regex@1.0.0", &[]));
            assert_eq!(of(&[&other, &tokio]), expected, "{package} {features:?}");
        };
        let registry = "registry+https://github.com/rust-lang/crates.io-index#tokio@1.48.0";
        check(registry, &["rt"], Some(1));
        check(registry, &["sync"], None);
        check("path+file:///home/me/tokio#1.48.0", &["rt", "time"], Some(1));
        check("registry+https://github.com/rust-lang/crates.io-index#tokio@0.2.25", &["rt"], None);
    }

    #[test]
    fn it_has_threads_if_it_may() {
        let text = |features| module(&library("tokio", "tokio@1.0.0", features), "t");
        assert!(text(&["rt", "rt-multi-thread"]).contains("use super::t::runtime"));
        assert!(text(&["rt", "rt-multi-thread"]).contains("Builder::new_multi_thread()"));
        assert!(text(&["rt"]).contains("Builder::new_current_thread()"));
    }
}
