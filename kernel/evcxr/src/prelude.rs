//! The code that is run in the user's process before the first cell.
//!
//! evcxr leaves three things that a kernel needs untold: what a panic said and where, what error ended a cell at a `?`, and text that is
//! still in the buffer of `print!`. This code, compiled by evcxr like a cell, tells them as content blocks of private types. It is run again
//! after each cell: then it only flushes. The relay recognises it by the block [`PRELUDE`] and runs it by itself from then on, first of
//! all in each new process.

/// The block that names the function just run as the prelude.
pub(crate) const PRELUDE: &str = "application/vnd.assay.prelude";

/// A panic of the thread that runs cells: file, line and column on a line each, then the message.
pub(crate) const PANIC: &str = "application/vnd.assay.panic";

/// An error that a `?` at the top level of a cell met.
pub(crate) const QUESTION: &str = "application/vnd.assay.question";

/// The file in evcxr's folder in which a relay leaves the prelude's place for the next one.
pub(crate) const FILE: &str = "assay-prelude";

/// The prelude. The macro is seen by the code that evcxr writes around a `?`, which prints the error through `eprintln!`:
/// the first arms match what evcxr writes. Everything else goes to the real one.
pub(crate) const SOURCE: &str = r#"
#[allow(unused_macros)]
macro_rules! eprintln {
    ("{:?}", $e:ident) => { ::std::println!("EVCXR_BEGIN_CONTENT application/vnd.assay.question\n{:?}\nEVCXR_END_CONTENT", $e) };
    ("{:#?}", $e:ident) => { ::std::println!("EVCXR_BEGIN_CONTENT application/vnd.assay.question\n{:#?}\nEVCXR_END_CONTENT", $e) };
    ("{}", $e:ident) => { ::std::println!("EVCXR_BEGIN_CONTENT application/vnd.assay.question\n{}\nEVCXR_END_CONTENT", $e) };
    ("The type of the variable {name} was redefined, so was lost.",) => { };
    ($($all:tt)*) => { ::std::eprintln!($($all)*) };
}
let _: () = {
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let cells = std::thread::current().id();
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() != cells {
                return usual(info);
            }
            let payload = info.payload();
            let message = payload.downcast_ref::<&str>().copied();
            let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("Box<dyn Any>");
            let (file, line, column) = info.location().map_or(("", 0, 0), |at| (at.file(), at.line(), at.column()));
            let _ = std::io::Write::write_all(&mut std::io::stdout(), format!(
                "EVCXR_BEGIN_CONTENT application/vnd.assay.panic\n{file}\n{line}\n{column}\n{message}\nEVCXR_END_CONTENT\n"
            ).as_bytes());
        }));
        println!("EVCXR_BEGIN_CONTENT application/vnd.assay.prelude\nEVCXR_END_CONTENT");
    });
    let _ = std::io::Write::flush(&mut std::io::stdout());
};
"#;

#[cfg(test)]
mod tests {
    use super::{PANIC, PRELUDE, QUESTION, SOURCE};

    /// The source spells the types out, because the user's process knows nothing of these constants.
    #[test]
    fn the_source_uses_the_types_that_the_relay_knows() {
        for mime in [PRELUDE, PANIC, QUESTION] {
            assert!(SOURCE.contains(&format!("EVCXR_BEGIN_CONTENT {mime}\\n")), "{mime}");
        }
    }
}
