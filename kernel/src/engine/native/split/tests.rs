//! Cells and what becomes of them.

use super::{Implementation, Item, Kind, Part, Split, Statement, What, split};
use crate::engine::native::source::Source;
use proptest::prelude::*;

/// The cell in parts; no earlier macro stands for items.
fn take_apart(cell: &str) -> Split {
    split(cell, &|_| false).unwrap_or_else(|| panic!("not understood: {cell}"))
}

/// A split on one line: what each part is, and what the rest of the engine goes by.
fn render(cell: &str, split: &Split) -> String {
    let inner = split.inner.iter().map(|range| cell[range.clone()].to_owned());
    let parts = split.parts.iter().map(|part| match part {
        Part::Item(item) => render_item(item),
        Part::Statement(statement) => render_statement(cell, statement),
    });
    inner.chain(parts).collect::<Vec<_>>().join(" | ")
}

fn render_item(item: &Item) -> String {
    match &item.what {
        What::Definition(names) => {
            let names = names
                .iter()
                .map(|name| format!("{}{}", if name.is_trait { "trait " } else { "" }, name.name));
            format!("def {}", names.collect::<Vec<_>>().join(" "))
        }
        What::Macro { name, items } => format!("macro {name}{}", if *items { " items" } else { "" }),
        What::Import(imports) => {
            let imports = imports.iter().map(|import| {
                let name = import.name.as_deref().unwrap_or(if import.glob { "*" } else { "_" });
                format!("{name}<-{} `{}`", import.path.join("."), import.declaration)
            });
            format!("use {}", imports.collect::<Vec<_>>().join(" "))
        }
        What::Implementation(Implementation { of_trait, for_type, arguments }) => {
            let path = |path: &Option<Vec<String>>| path.as_ref().map_or("-".into(), |path| path.join("."));
            let arguments = arguments.iter().cloned().collect::<Vec<_>>().join(" ");
            format!("impl {} for {} ({arguments})", path(of_trait), path(for_type))
        }
        What::Invocation { name } => format!("call {name}"),
        What::Nameless => "nameless".into(),
    }
}

fn render_statement(cell: &str, statement: &Statement) -> String {
    match &statement.kind {
        Kind::Let { bindings, initialiser, needs } => {
            let names = bindings.iter().map(|binding| {
                assert_eq!(cell[binding.range.clone()].trim_start_matches("r#"), binding.name);
                format!("{}{}", if binding.mutable { "mut " } else { "" }, binding.name)
            });
            let mut written = format!("let {}", names.collect::<Vec<_>>().join(" "));
            if let Some(initialiser) = initialiser {
                let needs = needs.iter().cloned().collect::<Vec<_>>().join(" ");
                written += &format!(" = `{}` ({needs})", &cell[initialiser.clone()]);
            }
            written
        }
        Kind::Run => format!("run `{}`", &cell[statement.range.clone()]),
        Kind::Value { expression } => format!("value `{}`", &cell[expression.clone()]),
    }
}

fn check(cell: &str, expected: &str) {
    assert_eq!(render(cell, &take_apart(cell)), expected, "{cell}");
    assert_covers(cell);
}

/// A cell's items with their edits, one space between them.
fn published(cell: &str) -> String {
    let split = take_apart(cell);
    let items = split.parts.iter().filter_map(|part| match part {
        Part::Item(item) => Some(item),
        Part::Statement(_) => None,
    });
    let texts = items.map(|item| {
        let mut source = Source::default();
        source.edited(&Source::of_cell(1, cell, &[]), item.range.clone(), &item.edits);
        source.text().to_owned()
    });
    texts.collect::<Vec<_>>().join(" ")
}

fn check_published(cell: &str, expected: &str) {
    assert_eq!(published(cell), expected, "{cell}");
}

/// The words that the parts of a cell mention.
fn check_mentions(cell: &str, expected: &str) {
    let split = take_apart(cell);
    let mentions = split.parts.iter().flat_map(|part| match part {
        Part::Item(item) => item.mentions.clone(),
        Part::Statement(statement) => statement.mentions.clone(),
    });
    let mentions: std::collections::BTreeSet<String> = mentions.collect();
    assert_eq!(mentions.into_iter().collect::<Vec<_>>().join(" "), expected, "{cell}");
}

/// What is outside of the parts is nothing that a compiler would miss.
fn assert_covers(cell: &str) {
    let split = take_apart(cell);
    let parts = split.parts.iter().map(|part| match part {
        Part::Item(item) => {
            let mut at = item.range.start;
            for edit in &item.edits {
                assert!(at <= edit.range.start && edit.range.end <= item.range.end, "{edit:?} in {cell}");
                at = edit.range.end;
            }
            item.range.clone()
        }
        Part::Statement(statement) => statement.range.clone(),
    });
    let mut outside = String::new();
    let mut at = 0;
    for range in split.inner.iter().cloned().chain(parts) {
        assert!(at <= range.start && !range.is_empty(), "{range:?} in {cell}");
        outside.push_str(&cell[at..range.start]);
        outside.push('\n');
        at = range.end;
    }
    outside.push_str(&cell[at..]);
    let rest = crate::engine::native::tokens::tokens(&outside).unwrap();
    assert_eq!(rest.replace([';', ' '], ""), "", "outside of the parts of {cell}");
}

#[test]
fn statements_and_the_value() {
    check("", "");
    check(" // nothing\n", "");
    check(";;", "");
    check("1 + 1", "value `1 + 1`");
    check("1 + 1;", "run `1 + 1;`");
    check("x // the value\n", "value `x`");
    check("f(); g()", "run `f();` | value `g()`");
    check("f();; ;g();", "run `f();` | run `g();`");
    check("if a { 1 } else { 2 }", "value `if a { 1 } else { 2 }`");
    check("if a { f(); } g();", "run `if a { f(); }` | run `g();`");
    check("if a { 1 } else { 2 };", "run `if a { 1 } else { 2 };`");
    check("match a { _ => 1 }", "value `match a { _ => 1 }`");
    check("loop { break 1 }", "value `loop { break 1 }`");
    check("'a: loop { break 'a }", "value `'a: loop { break 'a }`");
    check("for i in 0..3 { f(i) }", "value `for i in 0..3 { f(i) }`");
    check("{ 1 }", "value `{ 1 }`");
    check("unsafe { f() }", "value `unsafe { f() }`");
    check("vec![1]", "value `vec![1]`");
    check("vec![1].len()", "value `vec![1].len()`");
    check("println!(\"x\")", "value `println!(\"x\")`");
    check("println!(\"x\");", "run `println!(\"x\");`");
    check("foo! { a }", "value `foo! { a }`");
    check("foo! { a } b", "run `foo! { a }` | value `b`");
    check("#[rustfmt::skip] f()", "value `f()`");
    check("#[allow(unused)] f();", "run `#[allow(unused)] f();`");
    check("a = b", "value `a = b`");
    check("x?", "value `x?`");
    check("fut.await?", "value `fut.await?`");
    check("return", "value `return`");
    check("|x| x + 1", "value `|x| x + 1`");
    check("async { 1 }", "value `async { 1 }`");
    check("const { 1 }", "value `const { 1 }`");
    check("Point { x: 1 }.x", "value `Point { x: 1 }.x`");
    check("&raw const x", "value `&raw const x`");
    check(
        "if let Some(x) = a && x > 1 { x } else { 0 }",
        "value `if let Some(x) = a && x > 1 { x } else { 0 }`",
    );
    check(
        "match a { Some(x) if let Ok(y) = x => y, _ => 0 }",
        "value `match a { Some(x) if let Ok(y) = x => y, _ => 0 }`",
    );
}

#[test]
fn a_let_binds_what_its_pattern_names() {
    check("let x = 1;", "let x = `1` ()");
    check("let mut x: u8 = y + z(w);", "let mut x = `y + z(w)` (w y z)");
    check("let x;", "let x");
    check("let x: Vec<u8>;", "let x");
    check("let (a, mut b) = t;", "let a mut b = `t` (t)");
    check("let Point { x, y: ref mut z, .. } = p;", "let x z = `p` (p)");
    check("let Point { ref x, mut y } = p;", "let x mut y = `p` (p)");
    check("let [a, .., b] = s;", "let a b = `s` (s)");
    check("let [first, rest @ ..] = s else { return };", "let first rest = `s` (s)");
    check("let all @ (a, _) = t;", "let all a = `t` (t)");
    check("let Some(x) = o else { panic!() };", "let x = `o` (o)");
    check("let (A(x) | B(x)) = e;", "let x = `e` (e)");
    check("let &(ref a, b) = r;", "let a b = `r` (r)");
    check("let (Some(x), None) = t else { return };", "let x = `t` (t)");
    check("let None = o else { return };", "let  = `o` (o)");
    check("let _ = f();", "let  = `f()` (f)");
    check("let (X, y) = t;", "let y = `t` (t)");
    check("let X = 1;", "let X = `1` ()");
    check("let r#type = r#match;", "let type = `r#match` (match)");
    check("let it: Box<dyn Iterator<Item = u8>> = i;", "let it = `i` (i)");
    check("#[allow(unused)] let x = if a { 1 } else { 2 };", "let x = `if a { 1 } else { 2 }` (a)");
    check("let f = |x: u8| -> u8 { x };", "let f = `|x: u8| -> u8 { x }` (u8 x)");
    check("let größe = \"é\".len(); größe", "let größe = `\"é\".len()` (len) | value `größe`");
}

#[test]
fn every_item_is_known_by_its_names() {
    check("fn f() {}", "def f");
    check("pub async unsafe extern \"C\" fn f() {}", "def f");
    check("const fn f() -> A<{ 1 }> { A }", "def f");
    check("struct A; struct B(u8); struct C { x: u8 }", "def A | def B | def C");
    check("enum E { A, B }", "def E");
    check("union U { a: u8, b: i8 }", "def U");
    check("trait T { fn f(); }", "def trait T");
    check("unsafe trait T {}", "def trait T");
    check("type A = u8;", "def A");
    check("const N: usize = 1;", "def N");
    check("const _: () = ();", "nameless");
    check("static S: u8 = 1; static mut M: u8 = 1;", "def S | def M");
    check("mod m { fn f() {} }", "def m");
    check("mod m;", "def m");
    check("extern crate a; extern crate b as c; extern crate d as _;", "def a | def c | nameless");
    check("unsafe extern \"C\" { fn f(); safe static S: u8; type T; }", "def f S T");
    check("fn r#match() {}", "def match");
    check("global_asm!(\"nop\");", "nameless");
    check("std::arch::global_asm! { \"nop\" }", "nameless");
    check("/// Doc.\n#[derive(Debug)]\nstruct A;", "def A");
    check("let union = 1; union + auto", "let union = `1` () | value `union + auto`");
}

#[test]
fn a_use_is_one_import_for_each_leaf() {
    check("use a::b;", "use b<-a.b `use a::b;`");
    check("use a;", "use a<-a `use a;`");
    check("pub(crate) use ::a::b as c;", "use c<-a.b `use ::a::b as c;`");
    check("use a::B as _;", "use _<-a.B `use a::B as _;`");
    check("use a::*;", "use *<-a `use a::*;`");
    check(
        "use a::{self, b::{c, d as e}, f::*};",
        "use a<-a `use a::{self};` c<-a.b.c `use a::b::c;` e<-a.b.d `use a::b::d as e;` *<-a.f `use a::f::*;`",
    );
    check("use a::{self as b};", "use b<-a `use a::{self as b};`");
    check("use crate::a; use self::b;", "use a<-crate.a `use crate::a;` | use b<-self.b `use self::b;`");
    check("use super::a::r#type;", "use type<-super.a.type `use super::a::r#type;`");
    check("use {a::b, c};", "use b<-a.b `use a::b;` c<-c `use c;`");
    check("use a::{};", "use ");
    check(
        "/// Doc.\n#[cfg(x)] #[allow(unused)]\npub use a::{b, c};",
        "use b<-a.b `#[cfg(x)] #[allow(unused)] use a::b;` c<-a.c `#[cfg(x)] #[allow(unused)] use a::c;`",
    );
}

#[test]
fn an_impl_tells_what_it_is_for() {
    check("impl A { fn f() {} }", "impl - for A (A)");
    check("impl<T: Clone> m::A<T> where T: Copy {}", "impl - for m.A (A T m)");
    check("impl Display for A {}", "impl Display for A (A)");
    check("impl std::fmt::Display for m::A {}", "impl std.fmt.Display for m.A (A m)");
    check("impl From<Old> for New {}", "impl From for New (New Old)");
    check("unsafe impl Send for &A {}", "impl Send for A (A)");
    check("impl<'a, T> Add<&'a B> for &'a mut Box<A<T>> {}", "impl Add for A (A B Box T)");
    check("impl T for (A, B) {}", "impl T for - (A B)");
    check("impl T for [A; N] where B: C {}", "impl T for - (A N)");
    check("impl dyn Shape {}", "impl - for Shape (Shape)");
    check("impl Debug for Box<dyn Shape + Send> {}", "impl Debug for Shape (Box Send Shape)");
    check("impl<F: for<'a> Fn(&'a u8)> T for F {}", "impl T for F (F)");
    check("#[automatically_derived] impl !Send for A {}", "impl Send for A (A)");
}

#[test]
fn a_macro_stands_for_items_when_all_its_rules_do() {
    let items = |body: &str, expected: bool| {
        let cell = format!("macro_rules! m {{ {body} }}");
        check(&cell, if expected { "macro m items" } else { "macro m" });
    };
    items("($n:ident) => { struct $n; }", true);
    items("($n:ident) => { #[derive(Debug)] pub struct $n { pub x: u8 } impl $n { fn f() {} } };", true);
    items("($($n:ident),*) => { $( impl T for $n {} )* }", true);
    items("($($n:ident : $t:ty),* $(,)?) => { $( $(#[doc = \"x\"])* struct $n($t); )* }", true);
    items("($v:vis $n:ident) => { $v fn $n() -> [u8; { 1 }] { [0] } }", true);
    items("($a:tt $op:tt $b:tt) => { fn f() -> bool { $a $op $b } }", true);
    items("($i:item) => { $i }", true);
    items("($($i:item)*) => { $($i)* }", true);
    items("() => {}; ($n:ident $($r:ident)*) => { struct $n; m!($($r)*); }", true);
    items("($($t:tt)*) => { m!(@go $($t)*); }; (@go $n:ident) => { struct $n; }", true);
    items("($n:ident) => { const $n: u8 = m!(@one); }; (@one) => { 1 }", true);
    items("() => { use std::fmt; thread_local! { static X: u8 = 1; } }", true);
    items("() => { macro_rules! inner { () => { 1 } } }", true);
    items("() => { static S: u8 = 1; }", true);
    items("", false);
    items("() => {}", false);
    items("($x:expr) => { $x + 1 }", false);
    items("($x:expr) => { $x }", false);
    items("($x:expr) => {{ const N: u8 = 1; $x + N }}", false);
    items("($x:expr) => { const N: u8 = 1; $x + N }", false);
    items("($x:expr) => { println!(\"{}\", $x); }", false);
    items("($n:ident) => { let $n = 1; }", false);
    items("($n:ident) => { struct $n; }; ($x:expr) => { $x }", false);
    items("($($t:tt)*) => { $($t)* }", false);
    items("($t:ty) => { Vec<$t> }", false);
    items("() => { impl Fn(u8) -> u8 }", false);
    items("() => { fn(u8) -> u8 }", false);
    items("() => { unsafe { f() } }", false);
    items("() => { static || 1 }", false);
    items("($b:block) => { $b }", false);
    items("($s:stmt) => { $s }", false);
}

#[test]
fn what_a_macro_stands_for_decides_what_its_call_is() {
    let known = |name: &str| name == "mk";
    let check = |cell: &str, expected: &str| {
        let split = split(cell, &known).unwrap();
        assert_eq!(render(cell, &split), expected, "{cell}");
    };
    check("mk!(Point);", "call mk");
    check("mk! { Point }", "call mk");
    check("crate::m::mk![Point]; f()", "call mk | value `f()`");
    check("other!(Point);", "run `other!(Point);`");
    check("macro_rules! mk { () => { 1 } } mk!()", "macro mk | value `mk!()`");
    check("macro_rules! it { ($n:ident) => { mk!($n); } } it!(A);", "macro it items | call it");
    check(
        "macro_rules! one { ($n:ident) => { struct $n; } } one!(A); one!{B}",
        "macro one items | call one | call one",
    );
    check("one!(A); macro_rules! one { () => { struct A; } }", "run `one!(A);` | macro one items");
    check("std::thread_local! { static A: u8 = 1 }", "call thread_local");
    check("lazy_static! { static ref A: u8 = 1; }", "call lazy_static");
    check("bitflags::bitflags! { struct A: u8 { const B = 1; } }", "call bitflags");
    check("mk! name { }", "call mk");
    check("macro_rules! m [() => { struct A; }]; macro_rules! n (() => { 1 });", "macro m items | macro n");
}

#[test]
fn parts_come_in_any_order() {
    check(
        "#![allow(dead_code)]\n//! Doc.\nlet a = f(); fn f() -> u8 { 1 } use x::y; struct S; a + 1",
        "#![allow(dead_code)] | //! Doc. | let a = `f()` (f) | def f | use y<-x.y `use x::y;` | def S | value `a + 1`",
    );
    check("fn f() {} f() ", "def f | value `f()`");
    check("if a { 1 } else { 2 } fn f() {}", "run `if a { 1 } else { 2 }` | def f");
    check("\u{feff}let é = 1;\r\nstruct Ü { x: u8 }\r\né", "let é = `1` () | def Ü | value `é`");
    check("/* é */ /// Größe\r\nstruct A; /** ü */ fn f() {}\r\n", "def A | def f");
}

#[test]
fn what_is_no_rust_is_not_taken_apart() {
    for cell in [
        "let x = ",
        "fn f( {}",
        "1 +",
        "x y",
        "let x = 1",
        "}",
        "\"",
        "/* ",
        "/// alone",
        "use {::a};",
        "impl const T for A {}",
    ] {
        assert_eq!(split(cell, &|_| false), None, "{cell}");
    }
}

#[test]
fn definitions_become_public() {
    check_published("fn f() {}", "pub fn f() {}");
    check_published(
        "/// D.\n#[inline] async unsafe fn f() {}",
        "/// D.\n#[inline] pub async unsafe fn f() {}",
    );
    check_published("const unsafe extern \"C\" fn f() {}", "pub const unsafe extern \"C\" fn f() {}");
    check_published(
        "#[unsafe(no_mangle)] extern \"C\" fn f() {}",
        "#[unsafe(no_mangle)] pub extern \"C\" fn f() {}",
    );
    check_published("struct A;", "pub struct A;");
    check_published(
        "struct A<T> where T: Fn(u8) -> u8 { /** d */ x: u8, #[serde(skip)] y: HashMap<u8, T>, pub z: u8 }",
        "pub struct A<T> where T: Fn(u8) -> u8 { /** d */ pub x: u8, #[serde(skip)] pub y: HashMap<u8, T>, pub z: u8 }",
    );
    check_published(
        "struct A<T: Fn(u8)>(u8, #[a] fn(u8, u8) -> u8, pub (u8, B<C, D>), <A as B>::C, (crate::X, Y)) where T: Fn(u8);",
        "pub struct A<T: Fn(u8)>(pub u8, #[a] pub fn(u8, u8) -> u8, pub (u8, B<C, D>), pub <A as B>::C, pub (crate::X, Y)) where T: Fn(u8);",
    );
    check_published("union U { a: u8, b: i8 }", "pub union U { pub a: u8, pub b: i8 }");
    check_published("enum E { A(u8), B { x: u8 } }", "pub enum E { A(u8), B { x: u8 } }");
    check_published("trait T { fn f(); const N: u8; }", "pub trait T { fn f(); const N: u8; }");
    check_published("unsafe trait T {}", "pub unsafe trait T {}");
    check_published("type A<T> = Vec<T>;", "pub type A<T> = Vec<T>;");
    check_published("const N: A = A { x: 1 };", "pub const N: A = A { x: 1 };");
    check_published("const _: () = ();", "const _: () = ();");
    check_published("static mut M: u8 = 1;", "pub static mut M: u8 = 1;");
    check_published("extern crate a as b;", "pub extern crate a as b;");
    check_published("use a::b;", "use a::b;");
    check_published(
        "unsafe extern \"C\" { fn f(); #[link_name = \"x\"] safe static S: u8; type T; }",
        "unsafe extern \"C\" { pub fn f(); #[link_name = \"x\"] pub safe static S: u8; pub type T; }",
    );
    check_published("struct Größe { é: u8, ü: u8 }", "pub struct Größe { pub é: u8, pub ü: u8 }");
}

#[test]
fn restricted_visibility_becomes_public() {
    check_published("pub(crate) fn f() {}", "pub fn f() {}");
    check_published("pub(crate)fn f() {}", "pub fn f() {}");
    check_published(
        "pub(self) struct A(pub(super) u8, pub(in crate::m) u8);",
        "pub struct A(pub u8, pub u8);",
    );
    check_published("pub struct A { pub(crate) x: u8 }", "pub struct A { pub x: u8 }");
    check_published("impl A { pub(crate) fn f() {} }", "impl A { pub fn f() {} }");
}

#[test]
fn inherent_impls_become_public_and_those_of_traits_do_not() {
    check_published(
        "impl<T> A<T> { const N: u8 = 1; /// D.\n #[inline] fn f(&self) -> B<{ 1 }> { fn inner() {} } pub async fn g() {} type X = u8; }",
        "impl<T> A<T> { pub const N: u8 = 1; /// D.\n #[inline] pub fn f(&self) -> B<{ 1 }> { fn inner() {} } pub async fn g() {} pub type X = u8; }",
    );
    check_published(
        "impl T for A { fn f() {} const N: u8 = 1; }",
        "impl T for A { fn f() {} const N: u8 = 1; }",
    );
    check_published(
        "impl<F: for<'a> Fn(&'a u8)> A<F> { fn f() {} }",
        "impl<F: for<'a> Fn(&'a u8)> A<F> { pub fn f() {} }",
    );
    check_published("impl dyn for<'a> T<'a> { fn f() {} }", "impl dyn for<'a> T<'a> { pub fn f() {} }");
    check_published(
        "impl A where for<'a> &'a A: T { fn f() {} }",
        "impl A where for<'a> &'a A: T { pub fn f() {} }",
    );
    check_published(
        "impl T for for<'a> fn(&'a u8) { fn f() {} }",
        "impl T for for<'a> fn(&'a u8) { fn f() {} }",
    );
    check_published(
        "impl T<{ N }> for <A as B>::C { fn f() {} }",
        "impl T<{ N }> for <A as B>::C { fn f() {} }",
    );
}

#[test]
fn privacy_in_a_module_is_real() {
    check_published(
        "mod m { fn f() {} struct A { x: u8 } impl A { fn g() {} } }",
        "pub mod m { fn f() {} struct A { x: u8 } impl A { fn g() {} } }",
    );
    check_published(
        "mod m { pub(crate) fn f() {} pub(super) struct A { pub(in crate) x: u8, pub(self) y: u8, z: u8 } impl A { pub(in super) fn g() {} } }",
        "pub mod m { pub fn f() {} pub struct A { pub x: u8, pub(self) y: u8, z: u8 } impl A { pub fn g() {} } }",
    );
    check_published(
        "mod m { pub mod n { pub(super) fn f() {} pub(in super::super) fn g() {} pub(in crate::m) fn h() {} pub(crate) const N: u8 = 1; } }",
        "pub mod m { pub mod n { pub(super) fn f() {} pub fn g() {} pub(in crate::m) fn h() {} pub const N: u8 = 1; } }",
    );
    check_published(
        "mod m { macro_rules! x { () => { fn f() {} } } pub(crate) use x; pub(crate) use a::b; }",
        "pub mod m { macro_rules! x { () => { fn f() {} } } pub(crate) use x; pub use a::b; }",
    );
}

#[test]
fn a_macro_is_exported_and_what_it_makes_is_public() {
    let check = |rules: &str, expected: &str| {
        check_published(
            &format!("macro_rules! m {{ {rules} }}"),
            &format!("#[macro_export] macro_rules! m {{ {expected} }}"),
        );
    };
    check("($x:expr) => { $x + 1 };", "($x:expr) => { $x + 1 };");
    check("($n:ident) => { struct $n; }", "($n:ident) => { pub struct $n; }");
    check(
        "($n:ident, $($f:ident : $t:ty),*) => { #[derive(Debug)] struct $n { $( $f: $t ),* } impl $n { fn f() {} } impl T for $n { fn g() {} } }",
        "($n:ident, $($f:ident : $t:ty),*) => { #[derive(Debug)] pub struct $n { $( pub $f: $t ),* } impl $n { pub fn f() {} } impl T for $n { fn g() {} } }",
    );
    check(
        "($($n:ident($($t:ty),*);)*) => { $( $(#[a])* struct $n($( $t ),*); )* }",
        "($($n:ident($($t:ty),*);)*) => { $( $(#[a])* pub struct $n($( pub $t ),*); )* }",
    );
    check(
        "($n:ident, $t:ty) => { struct $n($t, u8); }",
        "($n:ident, $t:ty) => { pub struct $n(pub $t, pub u8); }",
    );
    check(
        "($(#[$m:meta])* $v:vis struct $n:ident { $( $(#[$a:meta])* $w:vis $f:ident : $t:ty, )* }) => { $(#[$m])* $v struct $n { $( $(#[$a])* $w $f: $t, )* } }",
        "($(#[$m:meta])* $v:vis struct $n:ident { $( $(#[$a:meta])* $w:vis $f:ident : $t:ty, )* }) => { $(#[$m])* pub struct $n { $( $(#[$a])* pub $f: $t, )* } }",
    );
    check(
        "($n:ident $($b:tt)*) => { struct $n { $($b)* } }",
        "($n:ident $($b:tt)*) => { pub struct $n { $($b)* } }",
    );
    check(
        "($n:ident $($b:tt)*) => { struct $n($($b)*); }",
        "($n:ident $($b:tt)*) => { pub struct $n($($b)*); }",
    );
    check(
        "($n:ident) => { pub(crate) fn $n() {} const N: u8 = 1; static S: u8 = 2; }",
        "($n:ident) => { pub fn $n() {} pub const N: u8 = 1; pub static S: u8 = 2; }",
    );
    check(
        "() => { enum A { B } }; () => {{ fn f() {} f() }}",
        "() => { pub enum A { B } }; () => {{ fn f() {} f() }}",
    );
    check(
        "($($n:ident),*) => { impl A { $( fn $n(&self) -> u8 { 1 } )* } }",
        "($($n:ident),*) => { impl A { $( pub fn $n(&self) -> u8 { 1 } )* } }",
    );
    check("($i:item) => { $i fn f() {} }", "($i:item) => { $i pub fn f() {} }");
    check_published(
        "/// D.\n#[macro_export] macro_rules! m { () => { struct A; } }",
        "/// D.\n#[macro_export] macro_rules! m { () => { pub struct A; } }",
    );
    check_published(
        "/// D.\nmacro_rules! m { () => { 1 } }",
        "/// D.\n#[macro_export] macro_rules! m { () => { 1 } }",
    );
}

#[test]
fn the_statics_of_known_macros_become_public() {
    check_published(
        "thread_local! { static A: Cell<u8> = const { Cell::new(1) }; /// D.\n pub static B: u8 = 1 }",
        "thread_local! { pub static A: Cell<u8> = const { Cell::new(1) }; /// D.\n pub static B: u8 = 1 }",
    );
    check_published("lazy_static! { static ref A: u8 = 1; }", "lazy_static! { pub static ref A: u8 = 1; }");
    check_published(
        "bitflags! { #[derive(Debug)] struct A: u8 { const B = 1; } }",
        "bitflags! { #[derive(Debug)] pub struct A: u8 { const B = 1; } }",
    );
}

#[test]
fn every_identifier_is_mentioned() {
    check_mentions("f(a.b, &c[d], E::G { h: i }, |j| j)", "E G a b c d f h i j");
    check_mentions("'l: loop { break 'l }", "");
    check_mentions("let x: &'a T = r#type;", "T type x");
    check_mentions("if let Some(x) = self_ && true { Self::f() } else { crate::g() }", "Some f g self_ x");
    check_mentions("foo!(a [b {c}] $d)", "a b c d foo");
    check_mentions("/// word\nfn f() {}", "f");
    check_mentions("\"{a}\".len()", "len");
}

#[test]
fn format_strings_mention_what_they_capture() {
    check_mentions(r#"p!("{a} {b:?} {0} {} {c:>w$} {d:.q$} {e:*^v$.u$}")"#, "a b c d e p q u v w");
    check_mentions(r#"p!("{{no}} {{{yes}}} {:08} {:0w$}")"#, "p w yes");
    check_mentions(r##"p!(r#"{a:#?}"#)"##, "a p");
    check_mentions(r#"p!("{größe} {r#type} {_x} { y }")"#, "_x größe p type y");
    check_mentions("p!(\"\\\n   {a}\")", "a p");
    check_mentions(r#"p!("{x:?}{1$}{unclosed", "{")"#, "p x");
    check_mentions(r#"std::p! { q, f("{a}"), [b"{no}", "{b}"] }"#, "a b f p q std");
    check_mentions(r#"macro_rules! m { () => { println!("{a}") } }"#, "a m macro_rules println");
    check_mentions(r#"if !c { f("{no}") }"#, "c f");
}

#[test]
fn the_course_is_understood() {
    let course = include_str!("../../../../../tests/bench/course.cells");
    let cells: Vec<&str> = course.split("\n---\n").collect();
    assert!(cells.len() > 30);
    for cell in &cells {
        assert_covers(cell);
    }
    let all = cells.iter().map(|cell| published(cell)).collect::<Vec<_>>().join("\n");
    for expected in [
        "#[derive(Debug, Clone, PartialEq)]\npub struct Sample { pub name: String, pub nanoseconds: Vec<f64> }",
        "impl Sample {\n    pub fn mean(&self)",
        "impl std::fmt::Display for Sample {\n    fn fmt(",
        "pub struct Memo<F: Fn(u64) -> u64> { pub compute: F, pub seen: HashMap<u64, u64>, pub limit: usize }",
        "    pub fn new(limit: usize, compute: F) -> Self {",
        "pub trait Shape { fn area(&self) -> f64; fn name(&self) -> String {",
        "pub struct Circle(pub f64);",
        "impl Shape for Circle { fn area(",
        "pub fn square(n: u64)",
    ] {
        assert!(all.contains(expected), "{expected}\nis not in\n{all}");
    }
}

/// Deep and narrow: what a parser by recursive descent descends into, as a row and what ends it.
const DEEP: [(&str, &str, &str); 67] = [
    ("", "(", ")"),
    ("", "[", "]"),
    ("", "{", "}"),
    ("", "!", "x"),
    ("", "-", "1"),
    ("", "&", "x"),
    ("", "&mut *", "x"),
    ("", "x = ", "1"),
    ("", "x + ", "1"),
    ("", "x(", ")"),
    ("x", ".f()", ""),
    ("x", "?", ""),
    ("x", " as u8", ""),
    ("", "|a, b| ", "1"),
    ("", "move || ", "1"),
    ("", "return ", "1"),
    ("", "if x {} else ", "{}"),
    ("", "if let A(x) = ", "y {}"),
    ("", "match x { _ => ", "}"),
    ("", "loop { ", "}"),
    ("", "unsafe { async { ", "} }"),
    ("", "'a: ", "{}"),
    ("", "A { b: ", "}"),
    ("", ".. ", ""),
    ("", "1 < 2 == ", "1"),
    ("", "x[", "]"),
    ("", "#[a] ", "x"),
    ("", "<A as ", ">::x"),
    ("fn f() { ", "fn f() { ", "} }"),
    ("", "mod m { ", "}"),
    ("", "impl A { fn f() { ", "} }"),
    ("use a::", "{b::", "c};"),
    ("use ", "a::", "b;"),
    ("let ", "(", ") = x;"),
    ("let ", "&", "x = y;"),
    ("let x: ", "Vec<u8, ", ">;"),
    ("let x: ", "fn(", ");"),
    ("", "macro_rules! m { ($", "x) => { } }"),
    ("", "x::<", ">"),
    ("let x: ", "dyn A<", ">;"),
    ("let x: ", "impl Fn(", ");"),
    ("let x: ", "[u8; { ", "}];"),
    ("let x: ", "A<{ ", "}>;"),
    ("let x: ", "A<B = ", "u8>;"),
    ("let x: ", "fn(A<", ">);"),
    ("let x: ", "&'a mut ", "u8;"),
    ("let x: ", "*const ", "u8;"),
    ("let x: ", "dyn Fn() -> ", "u8;"),
    ("let x: ", "for<'a> fn() -> ", "u8;"),
    ("let ", "A { x: (", ") } = x;"),
    ("let ", "A(B | ", ") = x;"),
    ("let ", "x @ ", "y = x;"),
    ("let ", "[", "] = x;"),
    ("", "|x: A<", ">| 1"),
    ("", "x.f::<u8>(", ")"),
    ("", "x = move |a| if a { ", "} else { b }"),
    ("", "match x { A if ", "=> 1 }"),
    ("", "let ", "x = 1"),
    ("", "while let A = ", "{}"),
    ("", "const { ", "}"),
    ("", "struct A { x: [u8; { ", "}] }"),
    ("fn f() -> ", "A<{ fn f() -> ", "} >"),
    ("", "trait A { fn f() { ", "} }"),
    ("", "enum A { B = { ", "} }"),
    ("", "break 'a ", "x"),
    ("", "x..", "y"),
    ("", "async move { ", "}"),
];

#[test]
fn no_depth_overflows_the_stack() {
    for (before, row, end) in DEEP {
        for count in [490, 1_950, 3_900] {
            let mut cell = format!("{before}{}", row.repeat(count));
            cell += &end.repeat(if end.chars().any(|c| ")]}>".contains(c)) { count } else { 1 });
            // Whether it is understood does not matter here: that it comes back does.
            if let Some(split) = split(&cell, &|_| false) {
                assert!(!split.parts.is_empty());
            }
        }
    }
}

#[test]
fn long_is_not_deep() {
    let check = |cell: String, parts: usize| {
        let found = split(&cell, &|_| false).map(|split| split.parts.len());
        assert_eq!(found, Some(parts), "{}", &cell[..60]);
    };
    check("let x = f(1, 2) + 3;\n".repeat(2_000), 2_000);
    check("fn f<T: A<u8>>(x: T) -> u8 { 1 }\n".repeat(2_000), 2_000);
    check(format!("[{}]", "1.5, ".repeat(8_000)), 1);
    check(format!("vec![{}]", "(1 + 2); ".repeat(8_000)), 1);
    check(format!("html! {{ {} }}", "<a href=x> b </a>".repeat(2_000)), 1);
    check(format!("match x {{ {} _ => 3 }}", "1 | 2 => { 3 } ".repeat(2_000)), 1);
    check(format!("{}1", "1 + ".repeat(1_900)), 1);
}

/// A token, or something that looks like one.
fn token() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "let",
        "fn",
        "struct",
        "enum",
        "trait",
        "impl",
        "mod",
        "use",
        "pub",
        "pub(crate)",
        "const",
        "static",
        "mut",
        "ref",
        "extern",
        "\"C\"",
        "unsafe",
        "async",
        "macro_rules!",
        "thread_local!",
        "type",
        "for",
        "where",
        "if",
        "else",
        "match",
        "loop",
        "move",
        "x",
        "y",
        "A",
        "B",
        "self",
        "crate",
        "r#type",
        "'a",
        "1",
        "1.5e3",
        "\"{x}\"",
        "r#\"{\"#",
        "b'a'",
        "c\"\"",
        "é",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        "->",
        "=>",
        "=",
        "==",
        "::",
        ":",
        ";",
        ";",
        ",",
        ".",
        "..",
        "..=",
        "$",
        "$x",
        "$(",
        ")*",
        "#",
        "!",
        "#!",
        "&",
        "&&",
        "|",
        "*",
        "+",
        "-",
        "?",
        "@",
        "_",
        "\n",
        "\r\n",
        "/// d\n",
        "//! d\n",
        "/* c */",
        "// c\n",
        "#[a]",
        "#![a]",
        "\u{feff}",
        "\\",
        "`",
        "\0",
        "/*",
        "\"",
        "'",
    ]);
    prop_oneof![20 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

/// A row of tokens whose delimiters fit, so that it gets past the lexer.
fn soup() -> impl Strategy<Value = String> {
    let leaf = token().prop_filter("fits", |token| !"()[]{}\"'`\\/*\0$()*".contains(token.as_str()));
    let piece = leaf.prop_recursive(3, 24, 6, |inner| {
        let delimiters = prop::sample::select(vec![("(", ")"), ("[", "]"), ("{", "}"), ("$(", ")*")]);
        (delimiters, prop::collection::vec(inner, 0..6))
            .prop_map(|((open, close), inner)| format!("{open}{}{close}", inner.join(" ")))
    });
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.join(" "))
}

/// A part of a cell that stands for itself.
fn part() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "let x = 1;",
        "let (mut é, _) = (\"ü\", 2);",
        "let Some(z) = o else { return };",
        "f(x);",
        "println!(\"{x:>w$}\");",
        "if a { b() }",
        "for i in 0..3 { g(i); }",
        "foo! { x }",
        "fn f<T>(x: T) -> A<{ 1 }> { x }",
        "/// Doc é.\n#[derive(Debug)]\nstruct P<T> { pub x: u8, y: Vec<(u8, T)> }",
        "struct Q(u8, pub(crate) i8);",
        "impl<T> P<T> { fn new() -> Self { loop {} } }",
        "impl Display for Q { fn fmt() {} }",
        "use std::{fmt::{self, Debug as _}, io::*};",
        "mod m { pub(super) fn h() {} }",
        "macro_rules! mk { ($n:ident, $($f:ident : $t:ty),*) => { struct $n { $($f: $t),* } }; }",
        "mk!(R, x: u8);",
        "thread_local! { static S: u8 = 1; }",
        "const _: () = ();",
        "static K: &str = \"é\";",
        "unsafe extern \"C\" { fn c(); }",
    ])
}

fn gap() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["\n", " ", "\r\n\r\n", ";", " ;; ", "// é\n", "/* ü */", "\t"])
}

proptest! {
    #[test]
    fn anything_is_split_or_refused(tokens in prop::collection::vec(token(), 0..40)) {
        let cell = tokens.join(" ");
        if split(&cell, &|name| name == "x").is_some() {
            published(&cell);
            assert_covers(&cell);
        }
    }

    #[test]
    fn a_soup_of_tokens_is_split_or_refused(soup in soup(), before in "(let x = |macro_rules! m |fn f\\(\\) |struct S |impl A |mod m |)") {
        for cell in [format!("{before}{soup}"), format!("{before}{{ {soup} }}"), format!("{before}{{ () => {{ {soup} }} }}")] {
            if split(&cell, &|name| name == "x").is_some() {
                published(&cell);
                assert_covers(&cell);
            }
        }
    }

    #[test]
    fn the_parts_of_a_cell_are_all_of_it(
        mark in "\u{feff}?",
        inner in "(#!\\[allow\\(unused\\)\\]\n)?",
        parts in prop::collection::vec((gap(), part()), 0..20),
        value in "( é \\+ 1| \\{ 1 \\}// c)?",
    ) {
        let text: String = parts.iter().flat_map(|(gap, part)| [*gap, *part]).collect();
        let cell = format!("{mark}{inner}{text}{value}");
        assert_covers(&cell);
        // A statement that ends in a brace goes on where an operator follows: none of these does.
        let count = parts.len() + usize::from(!value.is_empty());
        prop_assert_eq!(take_apart(&cell).parts.len(), count);
        prop_assert_eq!(split(&published(&cell), &|_| false).is_some(), true);
    }
}
