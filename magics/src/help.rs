//! What a magic says of itself: the help of one, the list of all, the manual, the tooltip.

use crate::completion::call_at;
use crate::invocation::Sigil;
use crate::magic::{Magic, Wants};
use crate::options::{option_form, positional_form, spelling, usage};
use crate::render::{Bundle, Side, Table, escape};
use crate::table;

/// What precedes the list in the manual.
const INTRODUCTION: &str = "\
Magics are the lines of a cell that are not Rust.

  %name arguments    a line magic: on a line of its own, where a statement could start.
                     Magics and Rust mix freely in a cell and run in order.
  %%name arguments   a cell magic: on the first line. The rest of the cell is its body.
  !command           a command for the shell, at the very start of a line. Rust's own `!x` can
                     stand there in parentheses: (!x)
  :name arguments    a command of evcxr notebooks; they work here too.
  %name?             the help of a magic. ?path shows what the engine knows of a Rust name.

Options come first: -n 3, -n3, --long value. -- ends them, for an argument that begins with -.
A line that ends in \\ goes on in the next one. Every magic of a cell is read before any of it
runs: where one is wrong, nothing has run.";

/// The help of `magic`.
pub fn of_magic(magic: &dyn Magic) -> Bundle {
    let page = Page::of(magic);
    Bundle::text(page.text()).with("text/html", page.html())
}

/// A table of all magics with what they do.
pub fn list() -> Bundle {
    let mut table = Table::new([("Magic", Side::Left), ("What it does", Side::Left)]);
    for magic in in_order() {
        table.row([spelling(magic), magic.summary().to_owned()]);
    }
    table.bundle()
}

/// The introduction and the help of every magic.
pub fn manual() -> Bundle {
    let pages: Vec<Page> = in_order().map(Page::of).collect();
    let text = pages.iter().fold(INTRODUCTION.to_owned(), |text, page| text + "\n\n\n" + &page.text());
    let start = format!("<pre>{}</pre>", escape(INTRODUCTION));
    let html = pages.iter().fold(start, |html, page| html + "\n<hr>\n" + &page.html());
    Bundle::text(text).with("text/html", html)
}

/// The help of the magic that byte `cursor` of `cell` is on. None in Rust, also in Rust behind a magic's options.
pub fn tooltip(cell: &str, cursor: usize) -> Option<Bundle> {
    let invocation = call_at(cell, cursor)?;
    let magic = table::find(invocation.sigil, invocation.name(cell))?;
    let on_name = cursor <= invocation.name_span.end;
    (on_name || magic.wants() != Wants::Rust).then(|| of_magic(magic))
}

/// Line and cell magics by name, then `!`, then evcxr's commands.
fn in_order() -> impl Iterator<Item = &'static dyn Magic> {
    let rank = |magic: &dyn Magic| match magic.form().sigils() {
        [Sigil::Shell, ..] => 1,
        [Sigil::Colon, ..] => 2,
        _ => 0,
    };
    let mut magics: Vec<&dyn Magic> = table::all().collect();
    magics.sort_by_key(|magic| (rank(*magic), magic.name()));
    magics.into_iter()
}

/// The parts of a magic's help.
struct Page {
    title: String,
    usage: String,
    /// Options and arguments with their help.
    arguments: Vec<(String, String)>,
    example: &'static str,
}

impl Page {
    fn of(magic: &dyn Magic) -> Self {
        let command = magic.options();
        let help = |argument: &clap::Arg| argument.get_help().map(ToString::to_string).unwrap_or_default();
        let options = command.get_arguments().filter(|argument| !argument.is_positional());
        let options = options.map(|option| (option_form(option), help(option)));
        let positionals =
            command.get_positionals().map(|argument| (positional_form(argument), help(argument)));
        Self {
            title: format!("{}: {}", spelling(magic), magic.summary()),
            usage: usage(magic),
            arguments: options.chain(positionals).collect(),
            example: magic.example(),
        }
    }

    fn text(&self) -> String {
        let width = self.arguments.iter().map(|(form, _)| form.chars().count()).max().unwrap_or_default();
        let arguments: String =
            self.arguments.iter().map(|(form, help)| format!("  {form:width$}  {help}\n")).collect();
        let options = if arguments.is_empty() { String::new() } else { format!("\nArguments:\n{arguments}") };
        let example = self.example.replace('\n', "\n  ");
        format!("{}\n\nUsage:\n  {}\n{options}\nExample:\n  {example}", self.title, self.usage)
    }

    fn html(&self) -> String {
        let rows: String = self.arguments.iter().map(|(form, help)| argument_row(form, help)).collect();
        let table =
            if rows.is_empty() { String::new() } else { format!("<table><tbody>\n{rows}</tbody></table>\n") };
        format!(
            "<p><strong>{}</strong></p>\n<pre>{}</pre>\n{table}<p>Example:</p>\n<pre>{}</pre>",
            escape(&self.title),
            escape(&self.usage),
            escape(self.example),
        )
    }
}

fn argument_row(form: &str, help: &str) -> String {
    let cell = "style=\"text-align: left\"";
    format!(
        "<tr><th scope=\"row\" {cell}><code>{}</code></th><td {cell}>{}</td></tr>\n",
        escape(form),
        escape(help)
    )
}

#[cfg(test)]
mod tests {
    use super::{list, of_magic, tooltip};
    use crate::invocation::Sigil;
    use crate::table::find;

    #[test]
    fn help_is_summary_usage_arguments_and_example() {
        let expected = "\
%reset: forget every variable and item, after asking

Usage:
  %reset [-f] [-s]

Arguments:
  -f  do not ask first
  -s  keep the history, as this always does

Example:
  %reset -f";
        assert_eq!(of_magic(find(Sigil::Line, "reset").unwrap()).plain(), expected);
    }

    #[test]
    fn the_list_has_evcxrs_commands_last() {
        let list = list();
        let lines: Vec<&str> = list.plain().lines().collect();
        assert!(lines[2].starts_with("%assert_allocs "), "{lines:?}");
        assert!(lines.last().unwrap().starts_with(":version "), "{lines:?}");
    }

    #[test]
    fn a_tooltip_knows_the_magic_under_the_cursor() {
        // `|` is the cursor.
        let check = |cell: &str, expected: Option<&str>| {
            let cursor = cell.find('|').unwrap();
            let bundle = tooltip(&cell.replace('|', ""), cursor);
            let name = bundle.map(|bundle| bundle.plain().split(": ").next().unwrap().to_owned());
            assert_eq!(name.as_deref(), expected, "{cell:?}");
        };
        check("%wh|o", Some("%who"));
        check("%who|", Some("%who"));
        check("f();\n%who i3|2", Some("%who"));
        check("%%bash|\nls", Some("%%bash"));
        check("%%bash\nl|s", None);
        check(":de|p a", Some(":dep"));
        check("!l|s", Some("!"));
        check("|%who", None);
        check("%who\nf|()", None);
        check("%nosu|ch", None);
        check("a % wh|o", None);
    }
}
