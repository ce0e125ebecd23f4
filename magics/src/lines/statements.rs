//! Where the statements of a function begin: what one of them costs stands at its first line, however many it has.

use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, Block, Expr, ExprClosure, ExprIf, ImplItemFn, ItemFn, Stmt};

/// The lines of a function, each with what it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statements {
    lines: Vec<Line>,
}

/// What a line of a function is. Lines are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// Something begins here, or a block ends: values are dropped there.
    First,
    /// It goes on with what began there.
    Within(usize),
    /// It is of an item within the function: another function.
    Foreign,
}

impl Statements {
    /// Of a function, or of the statements of a cell. Where the Rust cannot be read (a function that shares its lines with other code) it is taken line by line; `ran` tells which
    /// lines have code, where that is known.
    pub(super) fn of(lines: &[String], of_cell: bool, ran: Option<&dyn Fn(usize) -> bool>) -> Self {
        let nodes = Nodes::of(lines, of_cell);
        let lines = match &nodes {
            Some(nodes) => (0..lines.len()).map(|index| nodes.line(index, &lines[index])).collect(),
            None => line_by_line(lines.len(), ran),
        };
        Self { lines }
    }

    pub(super) fn line(&self, index: usize) -> Line {
        self.lines.get(index).copied().unwrap_or(Line::First)
    }

    /// Where what this line belongs to begins.
    pub(super) fn first(&self, index: usize) -> usize {
        match self.line(index) {
            Line::Within(first) => first,
            Line::First | Line::Foreign => index,
        }
    }
}

/// A line without code goes on with the one before it that has some.
fn line_by_line(count: usize, ran: Option<&dyn Fn(usize) -> bool>) -> Vec<Line> {
    let Some(ran) = ran else { return vec![Line::First; count] };
    let mut before = None;
    let line = |index: usize| {
        if ran(index) {
            before = Some(index);
        }
        match before {
            Some(first) if first != index => Line::Within(first),
            _ => Line::First,
        }
    };
    (0..count).map(line).collect()
}

/// First and last lines of what has a line of its own, from 0.
#[derive(Default)]
struct Nodes {
    own: Vec<(usize, usize)>,
    foreign: Vec<(usize, usize)>,
}

impl Nodes {
    fn of(lines: &[String], of_cell: bool) -> Option<Self> {
        // A cell's magics are no Rust.
        let is_rust = |line: &&String| !line.trim_start().starts_with(['%', '!', ':']);
        let text: Vec<&str> =
            lines.iter().map(|line| Some(line).filter(is_rust).map_or("", String::as_str)).collect();
        let text = text.join("\n");
        let mut nodes = Self::default();
        if of_cell {
            let statements = Block::parse_within.parse_str(&text).ok()?;
            statements.iter().for_each(|statement| nodes.visit_stmt(statement));
        } else if let Ok(function) = syn::parse_str::<ItemFn>(&text) {
            nodes.keep(&function);
            nodes.visit_item_fn(&function);
        } else {
            let method = syn::parse_str::<ImplItemFn>(&text).ok()?;
            nodes.keep(&method);
            nodes.visit_impl_item_fn(&method);
        }
        Some(nodes)
    }

    fn keep(&mut self, syntax: &impl Spanned) {
        self.own.push(lines_of(syntax));
    }

    fn line(&self, index: usize, text: &str) -> Line {
        let within = |(first, last): &&(usize, usize)| (*first..=*last).contains(&index);
        // What begins last is the innermost.
        let innermost = self.own.iter().filter(within).map(|(first, _)| *first).max();
        let foreign = self.foreign.iter().filter(within).map(|(first, _)| *first).max();
        if foreign.is_some_and(|foreign| innermost.is_none_or(|own| own < foreign)) {
            return Line::Foreign;
        }
        let ends_block = matches!(text.trim(), "}" | "},");
        match innermost {
            Some(first) if first != index && !ends_block => Line::Within(first),
            _ => Line::First,
        }
    }
}

fn lines_of(syntax: &impl Spanned) -> (usize, usize) {
    let span = syntax.span();
    (span.start().line.saturating_sub(1), span.end().line.saturating_sub(1))
}

impl<'ast> Visit<'ast> for Nodes {
    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        // What is in an item is no part of the function around it.
        if matches!(statement, Stmt::Item(_)) {
            self.foreign.push(lines_of(statement));
            return;
        }
        self.keep(statement);
        visit::visit_stmt(self, statement);
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.keep(arm);
        visit::visit_arm(self, arm);
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        if !matches!(*closure.body, Expr::Block(_)) {
            self.keep(&closure.body);
        }
        visit::visit_expr_closure(self, closure);
    }

    fn visit_expr_if(&mut self, branch: &'ast ExprIf) {
        if let Some((_, other)) = &branch.else_branch
            && matches!(**other, Expr::If(_))
        {
            self.keep(other);
        }
        visit::visit_expr_if(self, branch);
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Statements};

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    /// For each line where it begins, or `-` if it is another function's.
    fn shown(statements: &Statements) -> String {
        let line = |(index, line): (usize, &Line)| match line {
            Line::Foreign => "-".to_owned(),
            _ => statements.first(index).to_string(),
        };
        statements.lines.iter().enumerate().map(line).collect::<Vec<_>>().join(" ")
    }

    fn check(text: &str, expected: &str) {
        let of_cell = !text.contains("fn f(") && !text.contains("fn step(");
        assert_eq!(shown(&Statements::of(&lines(text), of_cell, None)), expected, "{text}");
    }

    #[test]
    fn a_statement_of_several_lines_begins_at_its_first() {
        check("fn f() {\n    g(\n        1,\n    );\n    h();\n}", "0 1 1 1 4 5");
        check("fn f(\n    a: u32,\n) -> u32 {\n    a\n}", "0 0 0 3 4");
        check("let a =\n    b\n        .c();\nd(a)", "0 0 0 3");
        check("pub(crate) fn step(&mut self,\n    by: u32) {\n    self.0 += by;\n}", "0 0 2 3");
    }

    #[test]
    fn what_has_a_body_has_lines_of_its_own() {
        check("fn f() {\n    for a in b\n        .iter()\n    {\n        g(a);\n    }\n}", "0 1 1 1 4 5 6");
        check(
            "fn f() {\n    a.iter()\n        .map(|x| {\n            let y = g(x);\n            y\n        })\n        .sum()\n}",
            "0 1 1 3 4 1 1 7",
        );
        check("fn f() {\n    a.map(\n        |x|\n            g(x),\n    );\n}", "0 1 1 3 1 5");
        check(
            "fn f() {\n    match a {\n        1 =>\n            g(),\n        _ => {\n            h()\n        }\n    };\n}",
            "0 1 2 2 4 5 6 1 8",
        );
        check(
            "fn f() {\n    if a {\n        g();\n    } else if b\n        && c {\n        h();\n    } else {\n        i();\n    }\n}",
            "0 1 2 3 3 5 3 7 8 9",
        );
    }

    #[test]
    fn an_item_within_is_another_function() {
        check("fn f() {\n    fn g() {\n        1\n    }\n    g();\n}", "0 - - - 4 5");
        check("%%lprun\nfn g() {\n}\ng();", "0 - - 3");
    }

    #[test]
    fn what_cannot_be_read_is_taken_line_by_line() {
        check("impl A { fn f() {\n    g();\n} }}", "0 1 2");
        let text = lines("} fn f() {\n    g(\n        1);\n}");
        assert_eq!(shown(&Statements::of(&text, false, Some(&|index| index != 2))), "0 1 1 3");
    }
}
