//! The table of all magics, and how one is found in it.

use crate::colon::COMMANDS;
use crate::invocation::Sigil;
use crate::magic::Magic;
use crate::{
    assert_allocs, assert_faster, assert_time, bash, capture, cd, compare, complexity, config, del, dep,
    engine, env, history, load, lprun, lsmagic, manual, memit, mprun, prun, pwd, reset, save, shell, time,
    timeit, undo, version, who, whos, writefile,
};

/// Every magic but evcxr's commands, which have a table of their own (`colon.rs`).
pub const ALL: &[&dyn Magic] = &[
    &assert_allocs::AssertAllocs,
    &assert_faster::AssertFaster,
    &assert_time::AssertTime,
    &bash::Bash,
    &capture::Capture,
    &cd::Cd,
    &compare::Compare,
    &complexity::Complexity,
    &config::Config,
    &del::Del,
    &dep::Dep,
    &engine::Engine,
    &env::Env,
    &history::History,
    &load::Load,
    &lprun::Lprun,
    &lsmagic::Lsmagic,
    &manual::Manual,
    &memit::Memit,
    &mprun::Mprun,
    &prun::Prun,
    &pwd::Pwd,
    &reset::Reset,
    &save::Save,
    &shell::Shell,
    &time::Time,
    &timeit::Timeit,
    &undo::Undo,
    &version::Version,
    &who::Who,
    &whos::Whos,
    &writefile::Writefile,
];

/// Every magic.
pub fn all() -> impl Iterator<Item = &'static dyn Magic> {
    ALL.iter().copied().chain(COMMANDS.iter().map(|command| command as &dyn Magic))
}

/// The magic that is called by this sign and name.
pub fn find(sigil: Sigil, name: &str) -> Option<&'static dyn Magic> {
    let named = |magic: &&dyn Magic| sigil == Sigil::Shell || magic.name() == name;
    all().filter(|magic| magic.form().sigils().contains(&sigil)).find(named)
}

/// The magic that `text` (`%name`, `%%name`, `:name`, `!`) is about: of `%` and `%%`, either finds both.
pub(crate) fn spelled(text: &str) -> Option<&'static dyn Magic> {
    let (sigil, name) = split_sign(text);
    let other = match sigil {
        Sigil::Line => Sigil::Cell,
        Sigil::Cell => Sigil::Line,
        same => same,
    };
    find(sigil, name).or_else(|| find(other, name))
}

/// The sign and the name that `text` consists of.
pub(crate) fn split_sign(text: &str) -> (Sigil, &str) {
    let signs = [Sigil::Cell, Sigil::Line, Sigil::Colon];
    let found = signs.into_iter().find_map(|sigil| Some((sigil, text.strip_prefix(sigil.sign())?)));
    found.unwrap_or((Sigil::Shell, ""))
}

/// The names that this sign calls.
pub(crate) fn names(sigil: Sigil) -> impl Iterator<Item = &'static str> {
    all().filter(move |magic| magic.form().sigils().contains(&sigil)).map(Magic::name)
}

#[cfg(test)]
mod tests {
    use super::{all, find};
    use crate::cell::{Step, steps};
    use crate::help;
    use crate::magic::{Form, Magic};
    use crate::options;
    use crate::outcome::Outcome;
    use crate::trial::{plan, report};
    use std::collections::HashSet;

    fn is_word(name: &str) -> bool {
        !name.is_empty()
            && name.chars().all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '_')
    }

    #[test]
    fn every_name_is_a_word_and_nobody_elses() {
        let mut seen = HashSet::new();
        for magic in all() {
            assert!(magic.form() == Form::Shell || is_word(magic.name()), "{}", magic.name());
            // `%name` and `%%name` share their help, so that they may not be two magics.
            let family = magic.form() == Form::Colon;
            assert!(seen.insert((family, magic.name())), "{} is there twice", options::spelling(magic));
        }
    }

    #[test]
    fn every_magic_is_found_by_each_of_its_signs() {
        for magic in all() {
            for sigil in magic.form().sigils() {
                let found = find(*sigil, magic.name()).map(Magic::summary);
                assert_eq!(found, Some(magic.summary()), "{}", options::spelling(magic));
            }
        }
    }

    #[test]
    fn every_summary_is_one_line_that_begins_small_and_ends_open() {
        for magic in all() {
            let summary = magic.summary();
            let begins = summary.chars().next().is_some_and(char::is_lowercase);
            assert!(begins && !summary.contains('\n') && !summary.ends_with('.'), "{summary:?}");
        }
    }

    /// The example in the documentation is the test.
    #[test]
    fn every_example_is_planned_as_it_stands() {
        for magic in all() {
            let planned = match steps(magic.example()).as_deref() {
                Ok([Step::Magic(prepared)]) => prepared.magic.name(),
                Ok([Step::Rust(code)]) if code.magics.len() == 1 => code.magics[0].magic.name(),
                other => panic!("{}: {other:?}", magic.example()),
            };
            assert_eq!(planned, magic.name());
        }
    }

    #[test]
    fn every_help_tells_usage_arguments_and_example() {
        for magic in all() {
            let bundle = help::of_magic(magic);
            let text = bundle.plain();
            assert!(text.contains(&options::usage(magic)), "{text}");
            assert!(text.ends_with(&magic.example().replace('\n', "\n  ")), "{text}");
            for argument in magic.options().get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.is_empty() && text.contains(&help), "{}: {argument:?}", magic.name());
            }
        }
    }

    /// clap checks a command's own consistency only where debug assertions are on, which is here.
    #[test]
    fn every_command_is_consistent() {
        all().for_each(|magic| magic.options().debug_assert());
    }

    #[test]
    fn html_holds_nothing_that_an_untrusted_page_would_lose() {
        for magic in all() {
            let bundle = help::of_magic(magic);
            let html = bundle.data["text/html"].as_str().unwrap();
            for lost in ["<script", "<style", "<svg", "<iframe", "var(", "class="] {
                assert!(!html.contains(lost), "{}: {lost}", magic.name());
            }
            assert_eq!(html.matches("<td").count(), html.matches("</td>").count(), "{html}");
        }
    }

    /// An answer that fits no question is told, not swallowed: the session and a magic have grown apart.
    #[test]
    fn an_answer_that_does_not_fit_is_an_error() {
        let stray = || Outcome::Exit { code: Some(0) };
        let runs_a_process = ["bash", "!"];
        for magic in all().filter(|magic| !runs_a_process.contains(&magic.name())) {
            let silent = plan(magic.example()).unwrap() == crate::plan::Plan::Nothing;
            let reported = report(magic.example(), stray());
            assert_eq!(reported.is_ok(), silent, "{}", options::spelling(magic));
        }
    }
}
