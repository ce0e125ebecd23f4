//! A piece of a cell that is to be Rust, and where in the cell its syntax stands.

use super::{Snippet, bytes};
use crate::magic::Complaint;
use crate::source::{Ending, scan};
use proc_macro2::{LexError, TokenStream};
use ra_ap_rustc_lexer::{FrontmatterAllowed, Token, TokenKind, tokenize};
use std::ops::Range;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Block, Stmt};

/// A piece of a cell.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    /// The piece, with a space for each backslash that continues a line.
    rust: String,
    /// Where it begins in the cell.
    offset: usize,
    /// Where the backslashes are, in bytes of the cell.
    continuations: Vec<usize>,
}

impl Text {
    /// The `text` that begins at byte `offset` of the cell.
    pub(crate) fn new(text: &str, offset: usize) -> Self {
        let continuations = continuations(text);
        let mut rust = text.as_bytes().to_vec();
        for at in &continuations {
            rust[*at] = b' ';
        }
        // A space for a backslash leaves it what it was: UTF-8.
        let rust = String::from_utf8(rust).unwrap_or_else(|_| text.to_owned());
        Self { rust, offset, continuations: continuations.into_iter().map(|at| offset + at).collect() }
    }

    /// The part `range` (in bytes of the cell) of this text.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        let inside = range.start - self.offset..range.end - self.offset;
        let continuations = self.continuations.iter().copied().filter(|at| range.contains(at)).collect();
        Self { rust: self.rust[inside].to_owned(), offset: range.start, continuations }
    }

    /// Where it stands in the cell.
    pub(crate) fn span(&self) -> Range<usize> {
        self.offset..self.offset + self.rust.len()
    }

    /// What stands at a range of the cell.
    pub(crate) fn at(&self, range: &Range<usize>) -> &str {
        self.rust.get(range.start - self.offset..range.end - self.offset).unwrap_or_default()
    }

    /// Its statements.
    pub(crate) fn statements(&self) -> Result<Vec<Stmt>, Complaint> {
        let tokens: TokenStream = self.rust.parse().map_err(|error| self.unreadable(&error))?;
        Block::parse_within.parse2(tokens).map_err(|error| self.no_rust(&error))
    }

    /// Statements that others will follow: the last `;` may be missing.
    pub(crate) fn setup(&self) -> Result<Option<Snippet>, Complaint> {
        let ended = Self { rust: format!("{}\n;", self.rust), ..self.clone() };
        let statements = self.statements().or_else(|complaint| ended.statements().map_err(|_| complaint))?;
        Ok(Snippet::of(&statements, self))
    }

    /// All of it; none if there is nothing but white space and comments.
    pub(crate) fn snippet(&self) -> Result<Option<Snippet>, Complaint> {
        Ok(Snippet::of(&self.statements()?, self))
    }

    /// Where syntax of this text stands in the cell.
    pub(crate) fn span_of(&self, syntax: &(impl Spanned + ?Sized)) -> Range<usize> {
        let within = bytes(syntax);
        self.offset + within.start..self.offset + within.end
    }

    /// The span in pieces, without the backslashes that continue a line.
    pub(super) fn without_continuations(&self, span: &Range<usize>) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        let mut start = span.start;
        for at in self.continuations.iter().copied().filter(|at| span.contains(at)) {
            pieces.push(start..at);
            start = at + 1;
        }
        pieces.push(start..span.end);
        pieces
    }

    /// Its tokens outside of all brackets, each with its place in the cell; white space and comments are left out.
    pub(crate) fn open_tokens(&self) -> Vec<(TokenKind, Range<usize>)> {
        let mut depth = 0_usize;
        let mut at = self.offset;
        let mut open = Vec::new();
        for Token { kind, len } in tokenize(&self.rust, FrontmatterAllowed::No) {
            let span = at..at + len as usize;
            at = span.end;
            match kind {
                TokenKind::Whitespace | TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => {}
                TokenKind::OpenParen | TokenKind::OpenBrace | TokenKind::OpenBracket => depth += 1,
                TokenKind::CloseParen | TokenKind::CloseBrace | TokenKind::CloseBracket => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        open.push((kind, span));
                    }
                }
                _ if depth == 0 => open.push((kind, span)),
                _ => {}
            }
        }
        open
    }

    /// What syn says, where it says it.
    fn no_rust(&self, error: &syn::Error) -> Complaint {
        self.complaint(format!("this is no Rust: {error}"), error.span().byte_range())
    }

    /// Not even tokens: syn says "lex error", which helps nobody.
    fn unreadable(&self, error: &LexError) -> Complaint {
        let why = match scan(&self.rust).ending {
            Ending::InString => "a string is not closed",
            Ending::Open => "a bracket or a comment is not closed",
            _ => "a bracket closes nothing, or a sign has no meaning in Rust",
        };
        let at = error.span().byte_range();
        self.complaint(format!("this is no Rust: {why}"), at.start..at.end.max(at.start + 1))
    }

    /// An error is said to be nowhere where the text ends too soon: its last sign is pointed at.
    fn complaint(&self, message: String, within: Range<usize>) -> Complaint {
        let end = self.rust.trim_end().len();
        let last = self.rust[..end].char_indices().next_back().map_or(0, |(at, _)| at);
        let within = if within.is_empty() { last..end } else { within };
        let start = self.rust.floor_char_boundary(within.start.min(end));
        let stop = self.rust.ceil_char_boundary(within.end.clamp(start, self.rust.len()));
        Complaint::new(message, self.offset + start..self.offset + stop)
    }
}

/// The backslashes that end a line, outside of strings and comments.
fn continuations(text: &str) -> Vec<usize> {
    let mut at = 0;
    let mut found = Vec::new();
    for Token { kind, len } in tokenize(text, FrontmatterAllowed::No) {
        let end = at + len as usize;
        if kind == TokenKind::Unknown && &text[at..end] == "\\" && text[end..].starts_with(['\n', '\r']) {
            found.push(at);
        }
        at = end;
    }
    found
}
