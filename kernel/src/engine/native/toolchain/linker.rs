//! Which linker, and how it is called.

use super::super::program;
use super::probe::Installed;
use std::path::{Path, PathBuf};

/// A way to link, to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Linker {
    /// Arguments for rustc.
    pub(super) arguments: Vec<String>,
    /// Files and folders that they name.
    pub(super) needs: Vec<PathBuf>,
}

/// Ways to link, the fastest first: the toolchain's own rust-lld, called directly, which saves 10-17 ms a cell; then as rustc does without being told.
///
/// A foreign function that does not exist is an error of the compile, not of the moment when the library is opened.
pub(super) async fn candidates(installed: &Installed) -> Vec<Linker> {
    let lld = installed.libraries.with_file_name("bin").join("rust-lld");
    let searched = searched(installed).await;
    let mut all = Vec::new();
    // The C compiler knows where libc and libgcc are; called directly, the linker does not.
    if lld.is_file() && !searched.is_empty() {
        let mut arguments = vec![format!("-Clinker={}", lld.display())];
        arguments.extend(
            ["-Clinker-flavor=ld.lld", "-Clink-arg=--no-undefined", "-Clink-arg=-Bsymbolic-functions"]
                .map(str::to_owned),
        );
        arguments.extend(searched.iter().map(|folder| format!("-Clink-arg=-L{}", folder.display())));
        all.push(Linker { arguments, needs: searched.into_iter().chain([lld]).collect() });
    }
    all.push(Linker {
        arguments: ["-Clink-arg=-Wl,--no-undefined", "-Clink-arg=-Wl,-Bsymbolic-functions"]
            .map(str::to_owned)
            .into(),
        needs: Vec::new(),
    });
    all
}

/// Where the C compiler looks for libraries; nowhere if there is no C compiler.
async fn searched(installed: &Installed) -> Vec<PathBuf> {
    let asked =
        program::run(Path::new("cc"), &["-print-search-dirs"], &installed.sysroot, &installed.environment)
            .await;
    let said = asked.map(|output| output.stdout).unwrap_or_default();
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in libraries(&String::from_utf8_lossy(&said)) {
        // Most of them are one folder said in several ways, or not there at all.
        if let Ok(folder) = folder.canonicalize()
            && !folders.contains(&folder)
        {
            folders.push(folder);
        }
    }
    folders
}

/// The folders in `libraries: =/usr/lib/gcc/x86_64-linux-gnu/12/:/usr/lib/`.
fn libraries(said: &str) -> impl Iterator<Item = &Path> {
    let line = said.lines().find_map(|line| line.strip_prefix("libraries: ="));
    line.unwrap_or_default().split(':').filter(|folder| !folder.is_empty()).map(Path::new)
}

#[cfg(test)]
mod tests {
    use super::libraries;
    use std::path::Path;

    #[test]
    fn what_the_c_compiler_says_is_read() {
        let check = |said: &str, expected: &[&str]| {
            let expected: Vec<_> = expected.iter().map(Path::new).collect();
            assert_eq!(libraries(said).collect::<Vec<_>>(), expected);
        };
        check("install: /a\nprograms: =/b:/c\nlibraries: =/d/../e/:/f\n", &["/d/../e/", "/f"]);
        check("libraries: =", &[]);
        check("clang: error", &[]);
    }
}
