//! The tokens of a piece of Rust, each with the bytes where it stands; and the stack on which it is safe to parse them.

use super::mentions::is_keyword;
use proc_macro2::{Delimiter, Group, Literal, Spacing, TokenStream, TokenTree};
use std::ops::Range;
use std::thread;

/// How deep the parser may go, in the units of [`depth`]. No cell that a person writes comes near it.
const DEEPEST: usize = 4_000;

/// Bytes of stack for each of them: 192 MB of addresses in all, of which only what is touched is memory. The dearest construct that the tests know takes
/// less than 16 KiB in a build without optimisation.
const FRAME: usize = 48 * 1024;

/// How many of them a list of generic arguments or of a closure's parameters is worth: the parser of types goes through many functions.
const LIST: usize = 4;

/// Three bytes that some editors put before a text.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A token, or a group of them.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// Bytes of the text; for a group, from its opening delimiter to its closing one.
    pub(super) range: Range<usize>,
    pub(super) what: What,
}

/// What a token is.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// An identifier or a keyword, without `r#`, and whether that stood there.
    Word {
        name: String,
        raw: bool,
    },
    /// One character of an operator, and whether the next one follows it directly.
    Punct {
        character: char,
        joint: bool,
    },
    Literal(Literal),
    Group {
        delimiter: Delimiter,
        tokens: Vec<Token>,
    },
    /// A documentation comment: `///` and `/** */`, or `//!` and `/*! */`.
    Comment {
        inner: bool,
    },
}

impl Token {
    /// The name, if it is an identifier or a keyword.
    pub(super) fn word(&self) -> Option<&str> {
        match &self.what {
            What::Word { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Whether it is this keyword. A raw identifier is none.
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.what, What::Word { name, raw: false } if name == word)
    }

    pub(super) fn is_punct(&self, punct: char) -> bool {
        matches!(&self.what, What::Punct { character, .. } if *character == punct)
    }

    /// What stands between these delimiters, if it is a group that has them.
    pub(super) fn group(&self, wanted: Delimiter) -> Option<&[Self]> {
        match &self.what {
            What::Group { delimiter, tokens } if *delimiter == wanted => Some(tokens),
            _ => None,
        }
    }
}

/// Tells how deep in `<…>` a row of tokens is. An arrow's `>` closes nothing.
#[derive(Debug, Default)]
pub(super) struct Angles {
    depth: usize,
    arrow: bool,
}

impl Angles {
    /// Goes past a token and says whether it stands outside of all angle brackets.
    pub(super) fn outside(&mut self, token: &Token) -> bool {
        let outside = self.depth == 0;
        if token.is_punct('<') {
            self.depth += 1;
        } else if token.is_punct('>') && !self.arrow {
            self.depth = self.depth.saturating_sub(1);
        }
        self.arrow =
            matches!(token.what, What::Punct { character, joint } if joint && "-=".contains(character));
        outside
    }
}

/// Does something with the tokens of a text on a thread of its own, whose stack is large enough for the parser: it descends with what is nested, and a
/// stack that overflows ends the process. With the thread goes what the lexer remembers about the text.
///
/// Nothing if the text is no row of tokens, is nested deeper than any stack allows, or there is no memory for the thread.
pub(super) fn read<T: Send>(
    text: &str,
    work: impl FnOnce(TokenStream, &[Token]) -> Option<T> + Send,
) -> Option<T> {
    thread::scope(|scope| {
        let work = move || {
            let mark = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
            let stream: TokenStream = text[mark..].parse().ok()?;
            if depth(&stream) > DEEPEST {
                return None;
            }
            let tokens = convert(stream.clone(), text, mark);
            work(stream, &tokens)
        };
        let thread = thread::Builder::new().stack_size(DEEPEST * FRAME).spawn_scoped(scope, work);
        thread.ok()?.join().ok()?
    })
}

/// The text's tokens in one form: equal for texts that differ in white space and in comments alone, where those are no documentation. Nothing
/// if it is no row of tokens.
pub(super) fn tokens(text: &str) -> Option<String> {
    read(text, |_, tokens| Some(written(tokens, text)))
}

/// The same for tokens of a text.
pub(super) fn written(tokens: &[Token], text: &str) -> String {
    let mut written = String::new();
    write(tokens, text, &mut written);
    written
}

/// Where a span stands in the text of which `mark` bytes were not lexed.
pub(super) fn bytes(span: proc_macro2::Span, mark: usize) -> Range<usize> {
    let range = span.byte_range();
    range.start + mark..range.end + mark
}

/// How many bytes before the text the lexer does not count.
pub(super) fn uncounted(text: &str) -> usize {
    if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
}

fn convert(stream: TokenStream, text: &str, mark: usize) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut trees = stream.into_iter();
    while let Some(tree) = trees.next() {
        let mut range = bytes(tree.span(), mark);
        let what = match tree {
            // The lexer makes an attribute of it, each of whose tokens stands where the whole comment does.
            TokenTree::Punct(punct) if punct.as_char() == '#' && range.len() > 1 => {
                let inner = matches!(trees.next(), Some(TokenTree::Punct(_)));
                if inner {
                    trees.next();
                }
                // A line break may have two characters, and the first counts as part of the comment.
                range.end -= usize::from(text[range.clone()].ends_with('\r'));
                What::Comment { inner }
            }
            TokenTree::Punct(punct) => {
                What::Punct { character: punct.as_char(), joint: punct.spacing() == Spacing::Joint }
            }
            TokenTree::Ident(ident) => word(&ident.to_string()),
            TokenTree::Literal(literal) => What::Literal(literal),
            TokenTree::Group(group) => {
                What::Group { delimiter: group.delimiter(), tokens: convert(group.stream(), text, mark) }
            }
        };
        tokens.push(Token { range, what });
    }
    tokens
}

fn word(written: &str) -> What {
    match written.strip_prefix("r#") {
        Some(name) => What::Word { name: name.to_owned(), raw: true },
        None => What::Word { name: written.to_owned(), raw: false },
    }
}

/// A bound on how deep a parser by recursive descent goes: with each group, and with each token since the last separator. In angle brackets and between
/// the bars of closures a comma separates nothing.
fn depth(stream: &TokenStream) -> usize {
    let mut levels = vec![Level::new(stream.clone(), 0, false)];
    let mut deepest = 0;
    while let Some(level) = levels.last_mut() {
        let Some(tree) = level.rest.next() else {
            levels.pop();
            continue;
        };
        level.pass(&tree);
        deepest = deepest.max(level.depth());
        if let TokenTree::Group(group) = tree {
            let below = level.below(&group);
            levels.push(below);
        }
    }
    deepest
}

/// The tokens within one pair of delimiters, seen by [`depth`].
struct Level {
    rest: proc_macro2::token_stream::IntoIter,
    /// How deep the group itself is.
    above: usize,
    /// Whether it is within the arguments of a macro, which nobody parses.
    of_macro: bool,
    /// Tokens since the last separator.
    run: usize,
    /// [`LIST`] for each `<` and `|` since the last separator that ends them.
    lists: usize,
    macros: Macro,
    after_brace: bool,
}

/// How much of the beginning of a macro has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Macro {
    Nothing,
    /// `name`, or `macro_rules`.
    Name {
        rules: bool,
    },
    /// `name!`, or `macro_rules!`, whose name follows.
    Bang {
        rules: bool,
    },
}

impl Macro {
    fn pass(self, tree: &TokenTree) -> Self {
        match (self, tree) {
            (Self::Bang { rules: true }, TokenTree::Ident(_)) => Self::Bang { rules: false },
            (_, TokenTree::Ident(word)) if !is_keyword(&word.to_string()) => {
                Self::Name { rules: word == "macro_rules" }
            }
            (Self::Name { rules }, TokenTree::Punct(punct)) if punct.as_char() == '!' => Self::Bang { rules },
            _ => Self::Nothing,
        }
    }
}

impl Level {
    fn new(stream: TokenStream, above: usize, of_macro: bool) -> Self {
        let rest = stream.into_iter();
        Self { rest, above, of_macro, run: 0, lists: 0, macros: Macro::Nothing, after_brace: false }
    }

    fn depth(&self) -> usize {
        self.above + 1 + if self.of_macro { 0 } else { self.run + self.lists }
    }

    fn pass(&mut self, tree: &TokenTree) {
        self.run += 1;
        match tree {
            TokenTree::Punct(punct) => match punct.as_char() {
                ';' => (self.run, self.lists) = (0, 0),
                ',' => self.run = 0,
                '<' | '|' => self.lists += LIST,
                _ => {}
            },
            // What follows a block and cannot continue an expression begins something new.
            TokenTree::Ident(ident) if self.after_brace && ident != "else" && ident != "as" => {
                (self.run, self.lists) = (1, 0);
            }
            TokenTree::Literal(_) if self.after_brace => (self.run, self.lists) = (1, 0),
            _ => {}
        }
        self.after_brace = matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        if !matches!(tree, TokenTree::Group(_)) {
            self.macros = self.macros.pass(tree);
        }
    }

    /// The level of a group that stands here.
    fn below(&mut self, group: &Group) -> Self {
        let invoked = matches!(self.macros, Macro::Bang { .. });
        self.macros = Macro::Nothing;
        Self::new(group.stream(), self.depth(), self.of_macro || invoked)
    }
}

/// Operators of more than one character, the longest first.
const OPERATORS: [&str; 25] = [
    "<<=", ">>=", "...", "..=", "::", "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=",
    "%=", "^=", "&=", "|=", "<<", ">>", "..", "<-",
];

/// Writes tokens with one space after each. What is an operator depends on which characters follow each other directly.
fn write(tokens: &[Token], text: &str, written: &mut String) {
    let mut rest = tokens;
    while let Some(token) = rest.first() {
        let length = match &token.what {
            What::Punct { .. } => operator(rest),
            _ => 1,
        };
        match &token.what {
            What::Group { delimiter, tokens } => {
                let (open, close) = match delimiter {
                    Delimiter::Parenthesis => ("( ", ") "),
                    Delimiter::Bracket => ("[ ", "] "),
                    Delimiter::Brace => ("{ ", "} "),
                    Delimiter::None => ("", ""),
                };
                written.push_str(open);
                write(tokens, text, written);
                written.push_str(close);
            }
            _ => {
                rest[..length].iter().for_each(|token| written.push_str(&text[token.range.clone()]));
                written.push(' ');
            }
        }
        rest = &rest[length..];
    }
}

/// How many of the tokens make up the operator that they begin with.
fn operator(tokens: &[Token]) -> usize {
    let mut run = String::new();
    for token in tokens.iter().take(3) {
        let What::Punct { character, joint } = token.what else { break };
        run.push(character);
        if !joint {
            break;
        }
    }
    OPERATORS.iter().find(|operator| run.starts_with(**operator)).map_or(1, |operator| operator.len())
}

#[cfg(test)]
mod tests {
    use super::{Token, read, tokens};

    #[test]
    fn white_space_and_comments_do_not_count() {
        let same = |a: &str, b: &str| assert_eq!(tokens(a).unwrap(), tokens(b).unwrap());
        same("fn f(){1+1}", "fn f ( )\r\n{ 1 + /* two */ 1 } // end");
        same("x=-1", "x = - 1");
        same("a::<b>()", "a :: < b > ( )");
        same("&'a T", "& 'a T");
        same("/// d\nstruct A;", "/// d\n\n  struct A ;");
        same("\u{feff}x", "x");
        same("é.ü", "é . ü");
    }

    #[test]
    fn everything_else_counts() {
        let differ = |a: &str, b: &str| assert_ne!(tokens(a).unwrap(), tokens(b).unwrap());
        differ("a && b", "a & & b");
        differ("a..=b", "a.. =b");
        differ("/// d\nstruct A;", "/// e\nstruct A;");
        differ("/// d\nstruct A;", "struct A;");
        differ("/// d\nstruct A;", "//! d\nstruct A;");
        differ("\"a b\"", "\"a  b\"");
        differ("f(a, b)", "f(a b)");
        differ("type r#x = u8;", "type x = u8;");
        differ("{ a }", "( a )");
        assert_eq!(tokens("\"open"), None);
        assert_eq!(tokens("(]"), None);
    }

    #[test]
    fn a_token_knows_its_bytes() {
        let check = |text: &str, expected: &[&str]| {
            let ranges = read(text, |_, tokens| {
                Some(tokens.iter().map(|token: &Token| token.range.clone()).collect::<Vec<_>>())
            });
            let found: Vec<&str> = ranges.unwrap().into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("let ü = \"é\";", &["let", "ü", "=", "\"é\"", ";"]);
        check("\u{feff}é\r\n(ö)", &["é", "(ö)"]);
        check("/// é\r\nx //! ü\n/** ö */ y", &["/// é", "x", "//! ü", "/** ö */", "y"]);
        check("#[é] #![ü]", &["#", "[é]", "#", "!", "[ü]"]);
        check("日本 = \"\u{1f980}\" + 語", &["日本", "=", "\"\u{1f980}\"", "+", "語"]);
    }
}
