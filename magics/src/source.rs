//! A cell's text as Rust tokens: where a statement could start, and with it where a line may be something else than Rust.
//!
//! A line that starts with `%`, `!`, `:` or `?` where a statement could start is taken out as an [`Escape`]; its text is never
//! lexed as Rust. Nothing here knows which magics exist.

use ra_ap_rustc_lexer::{
    FrontmatterAllowed, LiteralKind, Token, TokenKind, is_id_start, tokenize, validate_raw_str,
};
use std::ops::Range;

/// What a walk over a cell found.
#[derive(Debug)]
pub(crate) struct Scan {
    /// The lines that are not Rust, in order.
    pub(crate) escapes: Vec<Escape>,
    /// How the text ends.
    pub(crate) ending: Ending,
    /// The lines that decide how the next line is indented.
    pub(crate) tail: Tail,
}

/// A line that is not Rust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Escape {
    /// From its first sign to the end of the line, without white space at its end and, in an assignment, without the semicolon.
    pub(crate) span: Range<usize>,
    /// Where Rust goes on: behind the line.
    pub(crate) end: usize,
    /// Whether it stands inside braces.
    pub(crate) nested: bool,
    /// `let pattern =` before it on the same statement.
    pub(crate) assigned: Option<Range<usize>>,
}

/// How a text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every statement is whole.
    Whole,
    /// A statement, a bracket or a comment is open.
    Open,
    /// A string is open: whatever follows is its content.
    InString,
    /// No continuation can make it Rust.
    Broken,
}

/// Where the text ends, for the indentation of what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Where the last token that counts starts.
    pub(crate) last: usize,
    /// Where the innermost open bracket stands.
    pub(crate) bracket: Option<usize>,
    /// Where the open statement starts, if the text ends in the middle of one.
    pub(crate) statement: Option<usize>,
}

/// Walks over `source`.
pub(crate) fn scan(source: &str) -> Scan {
    let mut walk = Walk::new(source);
    let mut at = 0;
    while at < source.len() {
        at = walk.run_of_rust(at);
    }
    walk.finish()
}

/// Where the first thing that is neither white space nor a comment stands.
pub(crate) fn first_significant(source: &str) -> Option<usize> {
    let mut at = 0;
    for token in tokenize(source, FrontmatterAllowed::No) {
        if !is_trivia(&token.kind) {
            return Some(at);
        }
        at += token.len as usize;
    }
    None
}

/// Whether `source` holds nothing but white space and comments, so that there is nothing to run.
pub(crate) fn is_blank(source: &str) -> bool {
    tokenize(source, FrontmatterAllowed::No).all(|token| {
        let comment = matches!(
            token.kind,
            TokenKind::LineComment { .. } | TokenKind::BlockComment { terminated: true, .. }
        );
        comment || token.kind == TokenKind::Whitespace
    })
}

/// Whether byte `at` of `source` stands in a comment or within a string, where names mean nothing.
pub fn is_prose(source: &str, at: usize) -> bool {
    let mut start = 0;
    for token in tokenize(source, FrontmatterAllowed::No) {
        let end = start + token.len as usize;
        if start < at && at <= end {
            return prose(&token.kind).is_some_and(|closed| at < end || !closed);
        }
        start = end;
    }
    false
}

/// Whether a comment or a string is closed: what follows it directly is no more a part of it. None for all other tokens.
fn prose(kind: &TokenKind) -> Option<bool> {
    use LiteralKind::{Byte, ByteStr, CStr, Char, RawByteStr, RawCStr, RawStr, Str};
    match kind {
        TokenKind::LineComment { .. } => Some(false),
        TokenKind::BlockComment { terminated, .. } => Some(*terminated),
        TokenKind::Literal { kind, .. } => match kind {
            Str { terminated }
            | ByteStr { terminated }
            | CStr { terminated }
            | Char { terminated }
            | Byte { terminated } => Some(*terminated),
            RawStr { n_hashes } | RawByteStr { n_hashes } | RawCStr { n_hashes } => Some(n_hashes.is_some()),
            _ => None,
        },
        _ => None,
    }
}

/// Where the line that holds byte `at` begins.
pub(crate) fn line_start(source: &str, at: usize) -> usize {
    source[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

fn is_trivia(kind: &TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Whitespace
            | TokenKind::LineComment { doc_style: None }
            | TokenKind::BlockComment { doc_style: None, terminated: true }
    )
}

/// How far a statement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statement {
    /// One may start here.
    Start,
    /// An attribute or a doc comment waits for its item.
    Attribute,
    /// `#!`: an attribute of what surrounds it, which waits for nothing.
    InnerAttribute,
    /// `pub`, `unsafe`, `const` …: what it is comes after.
    Modifiers,
    /// It ends at a semicolon and nowhere else: `let`, `use`, `const X`.
    Semicolon,
    /// It ends at the brace that closes its block, or at a semicolon: `fn`, `struct`, `if`, `match`.
    Block,
    /// The block is closed: the next token begins a statement unless it can only go on with this one (`else`).
    BlockEnded,
    /// A path so far, `a::b`: an expression, or the name of a macro.
    Path,
    /// A path and `!`.
    Macro,
    /// An expression.
    Expression,
}

/// A bracket that is open (or the cell itself) and the statement inside it.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// What opened it; none for the cell itself.
    opener: Option<TokenKind>,
    /// Where that stands.
    at: usize,
    /// The input of a macro: not ours to read.
    opaque: bool,
    statement: Statement,
    /// Where the statement starts.
    start: usize,
    /// The statement begins with `let`.
    is_let: bool,
}

impl Frame {
    fn new(opener: Option<TokenKind>, at: usize, opaque: bool) -> Self {
        Self { opener, at, opaque, statement: Statement::Start, start: at, is_let: false }
    }

    /// Whether statements stand here at all.
    fn holds_statements(&self) -> bool {
        !self.opaque && matches!(self.opener, None | Some(TokenKind::OpenBrace))
    }
}

/// A token that counts.
#[derive(Debug, Clone, Copy)]
struct Piece<'a> {
    kind: TokenKind,
    text: &'a str,
    at: usize,
}

struct Walk<'a> {
    source: &'a str,
    frame: Frame,
    outer: Vec<Frame>,
    /// The last two tokens that count, the latest first.
    before: [Option<Piece<'a>>; 2],
    escapes: Vec<Escape>,
    broken: bool,
    /// A literal or a comment that the text ends in.
    open_ending: Option<Ending>,
}

impl<'a> Walk<'a> {
    fn new(source: &'a str) -> Self {
        Self {
            source,
            frame: Frame::new(None, 0, false),
            outer: Vec::new(),
            before: [None; 2],
            escapes: Vec::new(),
            broken: false,
            open_ending: None,
        }
    }

    /// Reads Rust from `at` until an escape interrupts it. Returns where to go on.
    fn run_of_rust(&mut self, mut at: usize) -> usize {
        let source = self.source;
        for token in tokenize(&source[at..], FrontmatterAllowed::No) {
            if let Some(end) = self.escape_at(at, &token) {
                return end;
            }
            let end = at + token.len as usize;
            self.token(Piece { kind: token.kind, text: &source[at..end], at });
            at = end;
        }
        at
    }

    /// Takes an escape out if one begins at `at`. Returns where it ends.
    fn escape_at(&mut self, at: usize, token: &Token) -> Option<usize> {
        let sign = matches!(
            token.kind,
            TokenKind::Percent | TokenKind::Bang | TokenKind::Colon | TokenKind::Question
        );
        if !sign || !self.frame.holds_statements() {
            return None;
        }
        let assigned = self.assignment_before(at, token);
        if assigned.is_none() && !self.escape_may_start(at, token) {
            return None;
        }
        let end = escape_end(self.source, at);
        let mut text = self.source[at..end].trim_end();
        if assigned.is_some() {
            text = text.trim_end_matches(';').trim_end();
        }
        let nested = !self.outer.is_empty();
        self.escapes.push(Escape { span: at..at + text.len(), end, nested, assigned });
        self.frame.statement = Statement::Start;
        self.frame.is_let = false;
        self.before = [None; 2];
        Some(end)
    }

    /// `let x =` directly before a `%name`.
    fn assignment_before(&self, at: usize, token: &Token) -> Option<Range<usize>> {
        let follows_equals = self.before[0].is_some_and(|piece| piece.kind == TokenKind::Eq);
        let applies = self.frame.is_let && follows_equals && token.kind == TokenKind::Percent;
        (applies && begins_name(&self.source[at + 1..])).then_some(self.frame.start..at)
    }

    fn escape_may_start(&self, at: usize, token: &Token) -> bool {
        let line = line_start(self.source, at);
        let first = self.source[line..at].trim().is_empty();
        let behind = &self.source[at + 1..];
        if !first || !(self.statement_may_start() || self.cannot_go_on_with(token.kind, behind)) {
            return false;
        }
        let top_level = self.outer.is_empty();
        match token.kind {
            TokenKind::Percent => behind.starts_with('%') || is_line_end(behind) || begins_name(behind),
            TokenKind::Colon => top_level && (is_line_end(behind) || begins_name(behind)),
            TokenKind::Question => top_level && asks_for_help(behind),
            // An indented `!` stays Rust's "not", and so does one inside braces.
            _ => top_level && line == at && !is_line_end(behind),
        }
    }

    fn statement_may_start(&self) -> bool {
        matches!(self.frame.statement, Statement::Start | Statement::BlockEnded)
    }

    /// `x` on one line and `!ls` or `:vars` on the next: the expression is whole, and Rust has no operator that goes on so. It
    /// has a `%`, which therefore needs a `;` before it.
    fn cannot_go_on_with(&self, sign: TokenKind, behind: &str) -> bool {
        let whole = matches!(self.frame.statement, Statement::Path | Statement::Expression)
            && !self.ends_in_operator()
            && !self.before[0].is_some_and(|last| is_expression_keyword(last.text));
        let is_macro =
            self.frame.statement == Statement::Path && behind.trim_start().starts_with(['(', '[', '{']);
        match sign {
            TokenKind::Bang => whole && !is_macro && !behind.starts_with('='),
            TokenKind::Colon => whole,
            _ => false,
        }
    }

    fn token(&mut self, piece: Piece<'a>) {
        self.judge(&piece);
        if let TokenKind::LineComment { doc_style: Some(style) }
        | TokenKind::BlockComment { doc_style: Some(style), .. } = piece.kind
        {
            self.doc_comment(style == ra_ap_rustc_lexer::DocStyle::Outer, piece);
            return;
        }
        if is_trivia(&piece.kind) {
            return;
        }
        match piece.kind {
            TokenKind::OpenParen | TokenKind::OpenBrace | TokenKind::OpenBracket => self.open(piece),
            TokenKind::CloseParen | TokenKind::CloseBrace | TokenKind::CloseBracket => self.close(piece.kind),
            _ => self.advance(piece),
        }
        self.before = [Some(piece), self.before[0]];
    }

    fn doc_comment(&mut self, outer: bool, piece: Piece<'a>) {
        if outer && matches!(self.frame.statement, Statement::Start | Statement::BlockEnded) {
            self.frame.statement = Statement::Attribute;
            self.frame.start = piece.at;
            self.before = [Some(piece), self.before[0]];
        }
    }

    /// Remembers what a single token gives away about the text's end.
    fn judge(&mut self, piece: &Piece<'_>) {
        match piece.kind {
            TokenKind::BlockComment { terminated: false, .. } => self.open_ending = Some(Ending::Open),
            TokenKind::Unknown | TokenKind::InvalidIdent | TokenKind::UnknownPrefix => self.broken = true,
            TokenKind::Literal { kind, .. } => match literal_ending(kind, piece.text) {
                Ending::Broken => self.broken = true,
                Ending::Whole => {}
                open => self.open_ending = Some(open),
            },
            _ => {}
        }
    }

    fn open(&mut self, piece: Piece<'a>) {
        let is_macro = self.frame.statement == Statement::Macro || self.follows_macro_name();
        self.advance(piece);
        let inner = Frame::new(Some(piece.kind), piece.at, self.frame.opaque || is_macro);
        self.outer.push(std::mem::replace(&mut self.frame, inner));
    }

    /// `name!` directly before.
    fn follows_macro_name(&self) -> bool {
        let [Some(last), Some(name)] = self.before else {
            return false;
        };
        last.kind == TokenKind::Bang && name.kind == TokenKind::Ident && !is_expression_keyword(name.text)
    }

    fn close(&mut self, kind: TokenKind) {
        let matches = matches!(
            (self.frame.opener, kind),
            (Some(TokenKind::OpenParen), TokenKind::CloseParen)
                | (Some(TokenKind::OpenBrace), TokenKind::CloseBrace)
                | (Some(TokenKind::OpenBracket), TokenKind::CloseBracket)
        );
        self.broken |= !matches;
        let Some(frame) = self.outer.pop() else { return };
        self.frame = frame;
        self.frame.statement = match (self.frame.statement, kind) {
            (Statement::Block, TokenKind::CloseBrace) => Statement::BlockEnded,
            (Statement::InnerAttribute, TokenKind::CloseBracket) => Statement::Start,
            (unchanged, _) => unchanged,
        };
    }

    /// Moves the statement on by one token.
    fn advance(&mut self, piece: Piece<'a>) {
        if piece.kind == TokenKind::Semi {
            self.frame.statement = Statement::Start;
            self.frame.is_let = false;
            return;
        }
        self.frame.statement = match self.frame.statement {
            Statement::Start => self.begin(piece),
            Statement::BlockEnded => self.after_block(piece),
            Statement::Attribute => self.after_attribute(piece),
            Statement::Modifiers => self.after_modifier(piece),
            Statement::Path => self.after_path(piece),
            Statement::Macro => after_macro(piece),
            same => same,
        };
    }

    fn begin(&mut self, piece: Piece<'a>) -> Statement {
        self.frame.start = piece.at;
        self.kind_of_statement(piece)
    }

    fn kind_of_statement(&mut self, piece: Piece<'a>) -> Statement {
        self.frame.is_let = piece.text == "let";
        match piece.kind {
            TokenKind::Pound => Statement::Attribute,
            TokenKind::OpenBrace | TokenKind::Lifetime { .. } => Statement::Block,
            TokenKind::Ident => match piece.text {
                "let" | "use" | "static" | "type" => Statement::Semicolon,
                "pub" | "unsafe" | "async" | "const" | "extern" => Statement::Modifiers,
                word if begins_block(word) => Statement::Block,
                word if is_expression_keyword(word) => Statement::Expression,
                _ => Statement::Path,
            },
            TokenKind::RawIdent => Statement::Path,
            _ => Statement::Expression,
        }
    }

    /// After `}`: some tokens cannot begin a statement and go on with the one before (`else`, the `=` of `if let A { x } = y`).
    fn after_block(&mut self, piece: Piece<'a>) -> Statement {
        match (piece.kind, piece.text) {
            (TokenKind::Ident, "else" | "in" | "where") => Statement::Block,
            (TokenKind::Eq | TokenKind::Gt | TokenKind::Comma, _) => Statement::Block,
            (TokenKind::Dot | TokenKind::Question, _) | (TokenKind::Ident, "as") => Statement::Expression,
            _ => self.begin(piece),
        }
    }

    fn after_attribute(&mut self, piece: Piece<'a>) -> Statement {
        let after_pound = self.before[0].is_some_and(|piece| piece.kind == TokenKind::Pound);
        match piece.kind {
            TokenKind::Bang if after_pound => Statement::InnerAttribute,
            TokenKind::OpenBracket if after_pound => Statement::Attribute,
            _ => self.kind_of_statement(piece),
        }
    }

    fn after_modifier(&self, piece: Piece<'a>) -> Statement {
        let modifier = self.before[0].map_or("", |piece| piece.text);
        match (piece.kind, piece.text) {
            (TokenKind::Ident, "use" | "static" | "type" | "crate") => Statement::Semicolon,
            (TokenKind::Ident, "pub" | "unsafe" | "async" | "const" | "extern") => Statement::Modifiers,
            (TokenKind::Ident, "move") => Statement::Expression,
            (TokenKind::Ident, word) if begins_block(word) || word == "union" => Statement::Block,
            (TokenKind::Ident, _) if modifier == "const" => Statement::Semicolon,
            (TokenKind::Literal { .. }, _) if modifier == "extern" => Statement::Modifiers,
            (TokenKind::OpenParen, _) if modifier == "pub" => Statement::Modifiers,
            (TokenKind::OpenBrace, _) if modifier == "async" => Statement::Expression,
            (TokenKind::OpenBrace, _) => Statement::Block,
            _ => Statement::Expression,
        }
    }

    fn after_path(&self, piece: Piece<'a>) -> Statement {
        let last = self.before[0].map_or("", |piece| piece.text);
        match piece.kind {
            TokenKind::Colon => Statement::Path,
            TokenKind::Bang => Statement::Macro,
            TokenKind::Ident | TokenKind::RawIdent if last == ":" => Statement::Path,
            TokenKind::Ident if last == "union" => Statement::Block,
            _ => Statement::Expression,
        }
    }

    fn finish(self) -> Scan {
        let unfinished = self.ends_within_statement();
        let ending = if self.broken {
            Ending::Broken
        } else if let Some(ending) = self.open_ending {
            ending
        } else if !self.outer.is_empty() || unfinished {
            Ending::Open
        } else {
            Ending::Whole
        };
        let tail = Tail {
            last: self.before[0].map_or(0, |piece| piece.at),
            bracket: self.frame.opener.map(|_| self.frame.at),
            statement: (unfinished && self.goes_on_below()).then_some(self.frame.start),
        };
        Scan { escapes: self.escapes, ending, tail }
    }

    /// Whether the next line belongs to the same statement: a comma ends a field, an arm or an element, and begins the next.
    fn goes_on_below(&self) -> bool {
        let after_comma = self.before[0].is_some_and(|piece| piece.kind == TokenKind::Comma);
        self.frame.holds_statements() && !after_comma
    }

    /// Whether the innermost statement cannot end where the text ends.
    fn ends_within_statement(&self) -> bool {
        match self.frame.statement {
            Statement::Start | Statement::BlockEnded => false,
            Statement::Path | Statement::Expression => self.ends_in_operator(),
            _ => true,
        }
    }

    fn ends_in_operator(&self) -> bool {
        let [Some(last), before] = self.before else {
            return false;
        };
        let before = before.map(|piece| piece.kind);
        match last.kind {
            TokenKind::Ident => wants_more(last.text),
            // `1..` is a range; `1.` is a number to the lexer, and `x.` waits for a name.
            TokenKind::Dot => before != Some(TokenKind::Dot),
            // The end of a turbofish: `size_of::<u8>`.
            TokenKind::Gt => !self.source[self.frame.start..last.at].contains("::<"),
            kind => is_operator(kind),
        }
    }
}

fn after_macro(piece: Piece<'_>) -> Statement {
    match piece.kind {
        // `macro_rules! name`
        TokenKind::Ident | TokenKind::RawIdent => Statement::Macro,
        TokenKind::OpenBrace => Statement::Block,
        _ => Statement::Expression,
    }
}

/// Where an escape that begins at `at` ends: at its line's end, or further down while a line ends in a backslash.
fn escape_end(source: &str, at: usize) -> usize {
    let mut end = at;
    for line in source[at..].split_inclusive('\n') {
        end += line.len();
        if !line.trim_end_matches(['\n', '\r']).ends_with('\\') {
            break;
        }
    }
    end
}

fn begins_name(text: &str) -> bool {
    text.chars().next().is_some_and(is_id_start)
}

/// What follows the first `?` of `?name`, `??name` or `?%name`.
fn asks_for_help(behind: &str) -> bool {
    let name = behind.strip_prefix('?').unwrap_or(behind);
    name.starts_with('%') || begins_name(name)
}

fn is_line_end(text: &str) -> bool {
    text.lines().next().is_none_or(|line| line.trim().is_empty())
}

fn literal_ending(kind: LiteralKind, text: &str) -> Ending {
    match kind {
        LiteralKind::Char { terminated: false } | LiteralKind::Byte { terminated: false } => Ending::Broken,
        LiteralKind::Str { terminated: false }
        | LiteralKind::ByteStr { terminated: false }
        | LiteralKind::CStr { terminated: false } => Ending::InString,
        LiteralKind::RawStr { n_hashes: None } => raw_ending(text, 1),
        LiteralKind::RawByteStr { n_hashes: None } | LiteralKind::RawCStr { n_hashes: None } => {
            raw_ending(text, 2)
        }
        LiteralKind::Int { empty_int: true, .. } | LiteralKind::Float { empty_exponent: true, .. } => {
            Ending::Broken
        }
        _ => Ending::Whole,
    }
}

fn raw_ending(text: &str, prefix: u32) -> Ending {
    use ra_ap_rustc_lexer::RawStrError::NoTerminator;
    match validate_raw_str(text, prefix) {
        Err(NoTerminator { .. }) => Ending::InString,
        _ => Ending::Broken,
    }
}

/// Keywords whose statement ends where its block does.
fn begins_block(word: &str) -> bool {
    const WORDS: [&str; 11] =
        ["fn", "struct", "enum", "impl", "trait", "mod", "if", "while", "for", "loop", "match"];
    WORDS.contains(&word)
}

/// Keywords that stand inside expressions and so name no macro.
fn is_expression_keyword(word: &str) -> bool {
    const WORDS: [&str; 10] =
        ["return", "break", "continue", "if", "while", "match", "in", "else", "move", "yield"];
    WORDS.contains(&word)
}

/// Words that no expression ends with.
fn wants_more(word: &str) -> bool {
    const WORDS: [&str; 13] =
        ["as", "in", "else", "mut", "ref", "dyn", "move", "impl", "where", "if", "match", "let", "unsafe"];
    WORDS.contains(&word)
}

fn is_operator(kind: TokenKind) -> bool {
    use TokenKind::{
        And, At, Bang, Caret, Colon, Comma, Dollar, Eq, Lt, Minus, Or, Percent, Plus, Pound, Slash, Star,
        Tilde,
    };
    matches!(
        kind,
        And | At
            | Bang
            | Caret
            | Colon
            | Comma
            | Dollar
            | Eq
            | Lt
            | Minus
            | Or
            | Percent
            | Plus
            | Pound
            | Slash
            | Star
            | Tilde
    )
}
