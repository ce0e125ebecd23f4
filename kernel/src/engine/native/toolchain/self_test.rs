//! Whether this toolchain is understood: MIR's text is no stable format, so types of many sorts are read once and named again.

use super::super::rustc::{self, Message, Order, joined};
use super::super::types::{self, Closures, Found};
use super::Toolchain;
use super::build::UNKNOWN;
use crate::engine::Trouble;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What a value's type should be found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Named,
    /// Found, though a signature hides it behind `impl Trait`.
    Hidden,
    Function,
    Closure,
    Nameless,
}

/// Items as a user writes them.
const ITEMS: &str = r#"
pub mod shapes { pub struct Circle(pub f64); pub mod deep { pub enum Value { One } } pub trait Draw {} impl Draw for Circle {} }
pub struct Plain { pub x: i32 }
pub struct Holder<'a, T: ?Sized, const N: usize>(pub &'a T);
pub struct Flag<const B: bool, const C: char, const I: i8>;
pub fn add(x: i32) -> i32 { x }
pub fn keep<T>(x: T) -> T { x }
pub fn lossy(x: &[u8]) -> std::borrow::Cow<'_, str> { String::from_utf8_lossy(x) }
pub unsafe extern "C" fn foreign(_: &u8) {}
pub fn evens() -> impl Iterator<Item = u32> { (0..9_u32).step_by(2) }
pub fn odds() -> impl Iterator<Item = u32> { (0..9_u32).filter(|x| x % 2 == 1) }
pub fn adder(n: i32) -> impl Fn(i32) -> i32 { move |x| x + n }
"#;

/// Values, and what is to be found about their types.
const VALUES: [(&str, Kind); 61] = [
    ("1_u8", Kind::Named),
    ("(1_i128, 'a', \"text\", ())", Kind::Named),
    ("[[0_u16; 3]; 2]", Kind::Named),
    ("String::new()", Kind::Named),
    ("vec![Some(Ok::<u8, Box<dyn std::error::Error + Send + Sync>>(1))]", Kind::Named),
    ("std::collections::HashMap::<String, Vec<Plain>>::new()", Kind::Named),
    ("std::collections::HashMap::<u8, u8>::new().into_iter()", Kind::Named),
    ("std::collections::BTreeMap::<u8, std::collections::BTreeSet<u8>>::new()", Kind::Named),
    ("std::collections::BTreeMap::<u8, u8>::new().entry(1).or_insert(2) as *mut u8", Kind::Named),
    (
        "(std::collections::VecDeque::<u8>::new(), std::collections::BinaryHeap::<u8>::new(), std::collections::LinkedList::<u8>::new())",
        Kind::Named,
    ),
    ("std::collections::HashSet::<std::cmp::Reverse<u8>>::new()", Kind::Named),
    ("std::rc::Rc::new(std::cell::RefCell::new(shapes::Circle(1.0)))", Kind::Named),
    ("std::sync::Arc::new(std::sync::Mutex::new(vec![shapes::deep::Value::One]))", Kind::Named),
    (
        "(std::rc::Weak::<u8>::new(), std::sync::Weak::<std::sync::RwLock<u8>>::new(), std::cell::Cell::new(1))",
        Kind::Named,
    ),
    ("Box::new(shapes::Circle(1.0)) as Box<dyn shapes::Draw>", Kind::Named),
    ("Box::new(1) as Box<dyn std::any::Any + Send>", Kind::Named),
    ("Box::new(|x: &str| x.len()) as Box<dyn Fn(&str) -> usize>", Kind::Named),
    ("Box::new(|x: &mut Plain, _: &str| x.x += 1) as Box<dyn FnMut(&mut Plain, &str)>", Kind::Named),
    ("Box::new(lossy) as Box<dyn for<'a> Fn(&'a [u8]) -> std::borrow::Cow<'a, str>>", Kind::Named),
    ("Box::new(std::iter::once(1_u8)) as Box<dyn Iterator<Item = u8>>", Kind::Named),
    ("&5_u8 as &'static (dyn std::fmt::Debug + Sync)", Kind::Named),
    ("std::borrow::Cow::Borrowed(\"text\")", Kind::Named),
    ("Plain { x: 1 }", Kind::Named),
    ("shapes::deep::Value::One", Kind::Named),
    ("Holder::<str, 3>(\"text\")", Kind::Named),
    ("Flag::<true, 'x', -3>", Kind::Named),
    ("(foreign as unsafe extern \"C\" fn(&u8), add as fn(i32) -> i32)", Kind::Named),
    ("std::marker::PhantomData::<fn(&u8) -> &u8>", Kind::Named),
    ("(&raw const *\"text\", std::ptr::NonNull::<u8>::dangling())", Kind::Named),
    ("None::<std::num::NonZeroU8>", Kind::Named),
    ("(std::num::Wrapping(1_u8), std::num::Saturating(1_u8))", Kind::Named),
    ("(1..2_u8, 1..=2_u8, .., ..2_u8, 1_u8..)", Kind::Named),
    ("std::ops::Bound::Included(std::cmp::Ordering::Less)", Kind::Named),
    (
        "(std::sync::atomic::AtomicU8::new(1), std::sync::atomic::AtomicBool::new(true), std::sync::atomic::AtomicPtr::new(std::ptr::null_mut::<shapes::Circle>()))",
        Kind::Named,
    ),
    (
        "(std::sync::OnceLock::<u8>::new(), std::sync::LazyLock::<u8>::new(|| 1), std::cell::OnceCell::<u8>::new())",
        Kind::Named,
    ),
    ("std::sync::mpsc::channel::<u8>()", Kind::Named),
    ("std::thread::spawn(|| 1_u8)", Kind::Named),
    ("std::io::BufReader::new(std::io::stdin())", Kind::Named),
    ("(std::io::stdin().lock(), std::io::stdout(), std::io::Cursor::new(vec![1_u8]))", Kind::Named),
    ("std::fs::File::open(\"\")", Kind::Named),
    (
        "(std::path::PathBuf::new(), std::path::Path::new(\"\"), std::ffi::OsString::new(), std::ffi::CString::default())",
        Kind::Named,
    ),
    (
        "(std::time::Instant::now(), std::time::SystemTime::UNIX_EPOCH, std::time::Duration::ZERO)",
        Kind::Named,
    ),
    (
        "(std::net::Ipv4Addr::LOCALHOST, \"\".parse::<std::net::SocketAddr>(), \"\".parse::<u8>(), \"\".parse::<f64>())",
        Kind::Named,
    ),
    ("(std::process::Command::new(\"\"), std::env::args(), std::alloc::Layout::new::<u8>())", Kind::Named),
    ("(std::any::TypeId::of::<u8>(), std::hash::RandomState::new(), std::fmt::Error)", Kind::Named),
    (
        "(\"a b\".split_whitespace(), \"a\".chars().rev(), \"a\".split(','), \"a\".lines(), \"a\".bytes(), \"a\".char_indices())",
        Kind::Named,
    ),
    ("[1_u8, 2].iter().copied().skip(1).take(1).cycle().enumerate().peekable()", Kind::Named),
    ("vec![1_u8].into_iter().zip([2_u8].into_iter()).chain(std::iter::empty()).fuse()", Kind::Named),
    ("[1_u8].chunks(1).map(<[u8]>::len as fn(&[u8]) -> usize)", Kind::Named),
    (
        "(assay::Html(\"\"), assay::Bundle::new(), None::<assay::Handle>, assay::progress(0..1_u8))",
        Kind::Named,
    ),
    ("evens()", Kind::Hidden),
    ("std::pin::Pin::new(Box::new(1_u8))", Kind::Named),
    ("add", Kind::Function),
    ("keep::<shapes::Circle>", Kind::Function),
    ("str::len", Kind::Function),
    ("|x: u8, y: &str| -> Vec<Plain> { let _ = (x, y); Vec::new() }", Kind::Closure),
    ("{ let mut n = 0; move || { n += 1; n } }", Kind::Closure),
    ("{ let text = String::new(); move |_: &Plain| text }", Kind::Closure),
    ("adder(1)", Kind::Closure),
    ("odds()", Kind::Nameless),
    ("async { 1 }", Kind::Nameless),
];

/// The names of types, traits and modules in [`ITEMS`] that are not at the root of the crate.
const INNER: [&str; 4] = ["Circle", "Draw", "Value", "deep"];

/// Compiles a crate of many values in `folder`, reads their types, and compiles another one that names them.
/// `folder` is empty.
pub(super) async fn run(toolchain: &Toolchain, folder: &Path) -> Result<(), Trouble> {
    write(folder, "first", &first())?;
    let order = Order {
        root: "first.rs".into(),
        crate_name: "first".to_owned(),
        identity: "first".to_owned(),
        library: folder.join("libfirst.so"),
        externs: externs(toolchain),
        search: Vec::new(),
        linked: Vec::new(),
        mir: Some(folder.join("first.mir")),
        renames: Vec::new(),
        extra: Vec::new(),
    };
    let compiled = rustc::compile(toolchain, folder, &order).await?;
    if !compiled.ok {
        return Err(not_understood(toolchain, &first_error(&compiled.messages, &first())));
    }
    let mir = std::fs::read_to_string(folder.join("first.mir"))
        .map_err(|error| not_understood(toolchain, &format!("its MIR cannot be read: {error}")))?;
    let crates = order.externs.iter().map(|(name, _)| name.clone()).collect();
    let found = types::read(&mir, "first", &crates, &Closures::default());
    check(&found).map_err(|what| not_understood(toolchain, &what))?;
    let text = second(&found);
    write(folder, "second", &text)?;
    let (ok, messages) = rustc::call(toolchain, folder, &second_arguments(toolchain, &order)).await?;
    if ok { Ok(()) } else { Err(not_understood(toolchain, &first_error(&messages, &text))) }
}

/// A crate that puts all values away.
fn first() -> String {
    let inner = INNER.map(str::to_owned).into();
    let mut text = types::colliding_names("names_of_modules", &inner);
    text.push_str("extern crate assay; extern crate assay_names;");
    text.push_str(ITEMS);
    text.push_str("pub fn entry() {\n");
    for (slot, (value, _)) in VALUES.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "assay::cell::put({value}, {slot}, \"value\");");
    }
    text + "}\n"
}

/// A crate that takes them back, each by what was found to be its type, and could assign the same value again.
fn second(found: &BTreeMap<u32, Found>) -> String {
    let mut text = "extern crate assay; use first::*;\n".to_owned();
    for ((slot, found), (value, expected)) in found.iter().zip(VALUES) {
        let (kind, value) = match found {
            Found::Named(kind) | Found::Function(kind) => (kind.clone(), value.to_owned()),
            Found::Closure(object) => (format!("std::boxed::Box<{object}>"), format!("Box::new({value})")),
            Found::Nameless(_) => continue,
        };
        // One line for each, so that the line of an error tells the value.
        let _ = write!(
            text,
            "pub fn slot_{slot}() {{ let mut value = assay::cell::take::<{kind}>(\"value\"); drop(value);"
        );
        if expected != Kind::Hidden {
            let _ = write!(text, " value = {value}; drop(value);");
        }
        text.push_str(" }\n");
    }
    text
}

/// It need not be made: rustc only has to accept it.
fn second_arguments(toolchain: &Toolchain, first: &Order) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["second.rs", "--crate-type=rlib", "--emit=metadata", "-Awarnings"]
        .into_iter()
        .chain(rustc::FLAGS)
        .map(OsString::from)
        .collect();
    arguments.push(joined("-Ldependency=", toolchain.names.parent().unwrap_or(Path::new("."))));
    let library = ("first".to_owned(), first.library.clone());
    for (name, library) in externs(toolchain).into_iter().chain([library]) {
        arguments.extend(["--extern".into(), joined(&format!("{name}="), &library)]);
    }
    arguments
}

fn externs(toolchain: &Toolchain) -> Vec<(String, PathBuf)> {
    vec![("assay".to_owned(), toolchain.runtime.clone()), ("assay_names".to_owned(), toolchain.names.clone())]
}

/// Whether each slot was found, and what it should be.
fn check(found: &BTreeMap<u32, Found>) -> Result<(), String> {
    for (slot, (value, expected)) in (0..).zip(VALUES) {
        let kind = found.get(&slot).map(|found| match found {
            Found::Named(_) if expected == Kind::Hidden => Kind::Hidden,
            Found::Named(_) => Kind::Named,
            Found::Function(_) => Kind::Function,
            Found::Closure(_) => Kind::Closure,
            Found::Nameless(_) => Kind::Nameless,
        });
        if kind != Some(expected) {
            return Err(format!("the type of `{value}` is found to be {:?}", found.get(&slot)));
        }
    }
    Ok(())
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), Trouble> {
    let path = folder.join(name).with_extension("rs");
    std::fs::write(&path, text).map_err(|error| Trouble {
        what: format!("{} cannot be written: {error}", path.display()),
        remedy: Some("make room there".to_owned()),
    })
}

/// The first error with the line of the text that it is about.
fn first_error(messages: &[Message], text: &str) -> String {
    let Some(error) = messages.iter().find(|message| message.level == "error") else {
        return "no error is given".to_owned();
    };
    let start = error.spans.iter().find(|span| span.is_primary).map(|span| span.byte_start);
    let line = start.and_then(|start| {
        let begin = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
        text[begin..].lines().next()
    });
    let labels: Vec<_> = error.spans.iter().filter_map(|span| span.label.as_deref()).collect();
    format!("{} ({}) in\n{}", error.message, labels.join("; "), line.unwrap_or_default())
}

fn not_understood(toolchain: &Toolchain, what: &str) -> Trouble {
    Trouble {
        what: format!("the types that {} prints are not understood: {what}", toolchain.version),
        remedy: Some(UNKNOWN.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{INNER, Kind, VALUES, check, first};
    use crate::engine::native::types::Found;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_of_type_is_tried() {
        for kind in [Kind::Named, Kind::Hidden, Kind::Function, Kind::Closure, Kind::Nameless] {
            assert!(VALUES.iter().any(|(_, of)| *of == kind), "{kind:?}");
        }
        assert_eq!(VALUES.iter().map(|(value, _)| value).collect::<BTreeSet<_>>().len(), VALUES.len());
        assert!(INNER.iter().all(|name| first().contains(&format!("pub struct {name};"))));
    }

    #[test]
    fn a_value_that_is_not_found_is_named() {
        let found = [(0, Found::Nameless("?".to_owned()))].into();
        assert!(check(&found).unwrap_err().contains("`1_u8`"));
        assert!(check(&std::collections::BTreeMap::new()).unwrap_err().contains("`1_u8`"));
    }
}
