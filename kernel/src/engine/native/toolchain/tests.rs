use super::Toolchain;
use crate::engine::Trouble;
use crate::engine::native::rustc::{self, Compiled, Order};
use crate::engine::native::types::{self, Closures, Found};
use std::collections::BTreeMap;
use std::path::Path;

fn environment() -> BTreeMap<String, String> {
    std::env::vars().collect()
}

async fn prepare(cache: &Path) -> Result<Toolchain, Trouble> {
    Toolchain::prepare(&environment(), cache.parent().unwrap(), cache).await
}

/// Compiles a crate with the runtime, the names and an earlier crate, and reads what it puts away.
async fn compile(
    toolchain: &Toolchain,
    folder: &Path,
    name: &str,
    text: &str,
    earlier: Option<&str>,
) -> (Compiled, String) {
    std::fs::write(folder.join(name).with_extension("rs"), text).unwrap();
    let library = |name: &str| folder.join(format!("lib{name}.so"));
    let mut externs = vec![
        ("assay".to_owned(), toolchain.runtime.clone()),
        ("assay_names".to_owned(), toolchain.names.clone()),
    ];
    externs.extend(earlier.map(|name| (name.to_owned(), library(name))));
    let order = Order {
        root: format!("{name}.rs").into(),
        crate_name: name.to_owned(),
        identity: name.to_owned(),
        library: library(name),
        externs,
        search: vec![folder.to_owned()],
        mir: Some(folder.join(name).with_extension("mir")),
        renames: vec![(format!("{name}.rs"), "cell[1]".to_owned())],
        extra: Vec::new(),
    };
    let compiled = rustc::compile(toolchain, folder, &order).await.unwrap();
    let mir = std::fs::read_to_string(folder.join(name).with_extension("mir")).unwrap_or_default();
    (compiled, mir)
}

#[tokio::test]
async fn a_toolchain_is_prepared_once_and_compiles_cells() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache, with a comma");
    let toolchain = prepare(&cache).await.unwrap();
    assert!(toolchain.version.starts_with("rustc 1."), "{}", toolchain.version);
    assert!(toolchain.libraries.is_dir());
    let made = toolchain.runtime.metadata().unwrap().modified().unwrap();
    assert_eq!(prepare(&cache).await.unwrap(), toolchain);
    assert_eq!(toolchain.runtime.metadata().unwrap().modified().unwrap(), made);

    types_of_earlier_crates_are_found(&toolchain, folder.path()).await;
    what_is_wrong_with_the_code_is_said(&toolchain, folder.path()).await;

    std::fs::remove_file(&toolchain.names).unwrap();
    assert_eq!(prepare(&cache).await.unwrap(), toolchain);
    assert!(toolchain.names.is_file());
}

async fn types_of_earlier_crates_are_found(toolchain: &Toolchain, folder: &Path) {
    let cell_1 = "pub struct P; pub mod inner { pub struct Deep; } pub use inner::Deep as Renamed;
        pub fn adder(n: i32) -> impl Fn(i32) -> i32 { move |x| x + n }
        macro_rules! place { () => { concat!(file!(), ':', line!()) } }
        pub const PLACE: &str = place!();";
    let (compiled, mir) = compile(toolchain, folder, "cell_1", cell_1, None).await;
    assert!(compiled.ok && compiled.messages.is_empty(), "{compiled:?}");
    let externs = ["assay", "cell_1"].map(str::to_owned).into();
    let closures = Closures::of(&mir, "cell_1", &externs);

    let names = types::colliding_names("names", &["P", "Deep", "Renamed"].map(str::to_owned).into());
    let cell_2 = format!(
        "extern crate assay; extern crate assay_names; {names} pub struct Own;
        pub fn entry() {{
            assay::cell::put(cell_1::P, 0, \"a\");
            assay::cell::put(vec![cell_1::Renamed], 1, \"b\");
            assay::cell::put(Own, 2, \"c\");
            assay::cell::put(cell_1::adder(1), 3, \"d\");
            assay::cell::put_iterator([1_u8].iter().map(|x| *x), 4, \"e\");
        }}"
    );
    let (compiled, mir) = compile(toolchain, folder, "cell_2", &cell_2, Some("cell_1")).await;
    assert!(compiled.ok && compiled.messages.is_empty(), "{compiled:?}");
    let found: Vec<_> = types::read(&mir, "cell_2", &externs, &closures).into_values().collect();
    let named = |name: &str| Found::Named(name.to_owned());
    assert_eq!(found[0], named("cell_1::P"));
    assert!(
        found[1] == named("std::vec::Vec<cell_1::Renamed>")
            || found[1] == named("std::vec::Vec<cell_1::inner::Deep>"),
        "{:?}",
        found[1]
    );
    assert_eq!(found[2], named("cell_2::Own"));
    assert_eq!(found[3], Found::Closure("dyn Fn(i32) -> i32".to_owned()));
    assert_eq!(found[4], named("std::boxed::Box<dyn std::iter::Iterator<Item = u8>>"));

    // The code knows the new name of its file, and the library that of its own.
    let library = std::fs::read(folder.join("libcell_1.so")).unwrap();
    let contains = |text: &[u8]| library.windows(text.len()).any(|window| window == text);
    assert!(contains(b"cell[1]:4"));
    assert!(contains(b"libcell_1.so\0"));
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("rustc-")), "{left:?}");
}

async fn what_is_wrong_with_the_code_is_said(toolchain: &Toolchain, folder: &Path) {
    let text = "pub fn f() { let _x: u8 = \"é\"; }";
    let (compiled, _) = compile(toolchain, folder, "bad", text, None).await;
    assert!(!compiled.ok);
    let [message] = compiled.messages.as_slice() else { panic!("{compiled:?}") };
    assert_eq!(message.code.as_ref().map(|code| code.code.as_str()), Some("E0308"));
    let primary = message.spans.iter().find(|span| span.is_primary).unwrap();
    assert_eq!(&text[primary.bytes()], "\"é\"");
    // What rustc says keeps the real name of the file.
    assert_eq!(primary.file_name, Path::new("bad.rs"));
    assert!(!folder.join("libbad.so").exists());

    // A foreign function that does not exist is the user's error as well, though the linker finds it.
    let text = "unsafe extern \"C\" { fn there_is_no_such_function(); } pub fn f() { unsafe { there_is_no_such_function() } }";
    let (compiled, _) = compile(toolchain, folder, "bad", text, None).await;
    assert!(!compiled.ok && format!("{compiled:?}").contains("there_is_no_such_function"), "{compiled:?}");
}

#[tokio::test]
async fn a_machine_without_rust_is_told_where_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let environment = BTreeMap::from([("PATH".to_owned(), folder.path().display().to_string())]);
    let trouble = Toolchain::prepare(&environment, folder.path(), folder.path()).await.unwrap_err();
    assert!(trouble.what.contains("`rustc` does not start"), "{trouble:?}");
    assert!(trouble.remedy.unwrap().contains("https://rustup.rs"));
}

#[tokio::test]
async fn a_cache_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    std::fs::write(&cache, "a file").unwrap();
    let trouble = prepare(&cache).await.unwrap_err();
    assert!(trouble.what.contains(&cache.display().to_string()), "{trouble:?}");
    assert!(trouble.remedy.unwrap().contains("XDG_CACHE_HOME"));
}
