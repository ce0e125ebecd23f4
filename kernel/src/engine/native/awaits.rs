//! Whether a cell awaits outside of everything that is `async` itself.

use super::split::Split;
use super::tokens::{self, Token, What};
use proc_macro2::Delimiter;

/// Whether a statement of the cell awaits. A macro that does so without a word is found by the compiler.
pub(super) fn awaits(text: &str, split: &Split) -> bool {
    // Most cells do not, and are not read again.
    text.contains("await") && tokens::read(text, |_, tokens| Some(found(tokens, split))) == Some(true)
}

fn found(tokens: &[Token], split: &Split) -> bool {
    split.statements().any(|statement| {
        let from = tokens.partition_point(|token| token.range.start < statement.range.start);
        let to = tokens.partition_point(|token| token.range.start < statement.range.end);
        row(&tokens[from..to])
    })
}

/// Whether a row of tokens awaits.
fn row(mut tokens: &[Token]) -> bool {
    loop {
        tokens = match tokens {
            [] => return false,
            [dot, word, ..] if dot.is_punct('.') && word.is_word("await") => return true,
            [word, rest @ ..] if word.is_word("async") => behind_async(rest),
            [Token { what: What::Group { tokens, .. }, .. }, rest @ ..] => {
                if row(tokens) {
                    return true;
                }
                rest
            }
            [_, rest @ ..] => rest,
        };
    }
}

/// What follows the body of an `async` block, closure or function.
fn behind_async(rest: &[Token]) -> &[Token] {
    let is_body = |token: &Token| token.group(Delimiter::Brace).is_some();
    // The body of a closure need not have braces: then it ends with the argument or the statement that it is.
    let is_end = |token: &Token| token.is_punct(',') || token.is_punct(';');
    let mut bars = 0;
    for (at, token) in rest.iter().enumerate() {
        bars += usize::from(token.is_punct('|'));
        let in_parameters = bars == 1;
        if is_body(token) {
            return &rest[at + 1..];
        }
        if is_end(token) && !in_parameters {
            return &rest[at..];
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::awaits;
    use crate::engine::native::split::split;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let split = split(text, &|_| false).unwrap();
        assert_eq!(awaits(text, &split), expected, "{text}");
    }

    #[test]
    fn what_awaits_at_the_top_is_found() {
        check("f().await", true);
        check("let x = f(1)\n    .await?;", true);
        check("for x in y { g(x).await; }", true);
        check("println!(\"{}\", f().await);", true);
        check("let task = spawn(async { g().await }); task.await", true);
        check("async fn f() {} f().await", true);
        check("let f = async |x: u8, y| g(x).await; f(1, 2).await", true);
        check("call(async || g().await, h().await);", true);
    }

    #[test]
    fn what_only_promises_to_is_not() {
        check("1 + 1", false);
        check("let text = \"f().await\"; // .await", false);
        check("let task = spawn(async move { g().await });", false);
        check("async fn f() { g().await }", false);
        check("let f = async |x: u8, y: u8| g(x).await;", false);
        check("call(async || g().await, 1);", false);
        check("{ async fn f<T>() -> u8 { g().await } }", false);
        check("impl T for P { async fn f(&self) { g().await } }", false);
        check("let r#await = 1;", false);
    }
}
