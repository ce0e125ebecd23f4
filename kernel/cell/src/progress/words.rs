//! How a bar looks, as text and as html. Nothing is shown here.

use std::time::Duration;

/// What is known of a loop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) label: String,
    pub(super) done: u64,
    pub(super) total: Option<u64>,
    pub(super) elapsed: Duration,
    /// None while it runs.
    pub(super) end: Option<End>,
}

/// How a loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// There are no more items.
    All,
    /// It was left within the item behind those that are done.
    Within,
    /// Nobody asked for more.
    Early,
}

/// How many characters the bar has.
const WIDTH: u64 = 20;

/// `37 % ━━━━━━━               371/1000  12.3 s  30.2 it/s  21 s left`.
pub(super) fn text(state: &State) -> String {
    let bar = state.share().map(|percent| {
        let full = percent * WIDTH / 100;
        let bar: String = (0..WIDTH).map(|at| if at < full { '━' } else { ' ' }).collect();
        format!("{percent:>3} % {bar} ")
    });
    format!("{}{}{}", state.heading(), bar.unwrap_or_default(), state.figures().join("  "))
}

/// The same with an element of html for the bar, of what an untrusted page keeps.
pub(super) fn html(state: &State) -> String {
    let bar = state
        .share()
        .map(|percent| format!("{percent} % <progress value=\"{percent}\" max=\"100\"></progress> &nbsp;"));
    let figures: Vec<String> = state.figures().iter().map(|figure| escape(figure)).collect();
    format!("<div>{}{}{}</div>", escape(&state.heading()), bar.unwrap_or_default(), figures.join(" &nbsp; "))
}

impl State {
    fn heading(&self) -> String {
        if self.label.is_empty() { String::new() } else { format!("{} ", self.label) }
    }

    /// How many in a hundred are done, if that is known.
    fn share(&self) -> Option<u64> {
        let total = self.total.filter(|total| self.done <= *total)?;
        // Nothing of nothing is all.
        Some((u128::from(self.done) * 100).checked_div(total.into()).map_or(100, |share| share as u64))
    }

    fn figures(&self) -> Vec<String> {
        let done = self.done;
        let mut figures = vec![match self.total.filter(|total| done <= *total) {
            Some(total) => format!("{done}/{total}"),
            None if done == 1 => "1 item".to_owned(),
            None => format!("{done} items"),
        }];
        figures.push(time(self.elapsed));
        figures.extend(rate(done, self.elapsed));
        match self.end {
            None => figures.extend(self.left().map(|left| format!("{} left", time(left)))),
            Some(End::All) => {}
            Some(End::Within) => figures.push(format!("stopped in item {}", done + 1)),
            Some(End::Early) => figures.push("stopped".to_owned()),
        }
        figures
    }

    /// How long the rest takes, if it goes on as it went.
    fn left(&self) -> Option<Duration> {
        let rest = self.total?.checked_sub(self.done).filter(|rest| *rest > 0 && self.done > 0)?;
        let seconds = self.elapsed.as_secs_f64() * rest as f64 / self.done as f64;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// `0.3 s`, `2 min 05 s`, `3 h 01 min`.
fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{}.{} s", seconds, time.subsec_millis() / 100),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// `1.2k it/s`; below one in a second, how long each takes.
fn rate(done: u64, elapsed: Duration) -> Option<String> {
    let seconds = elapsed.as_secs_f64();
    if done == 0 || seconds < 1e-3 {
        return None;
    }
    let rate = done as f64 / seconds;
    if rate < 1.0 {
        return Some(format!("{}/it", time(elapsed.div_f64(done as f64))));
    }
    let (figure, unit) = match rate {
        ..999.95 => (rate, ""),
        ..999_950.0 => (rate / 1e3, "k"),
        _ => (rate / 1e6, "M"),
    };
    Some(format!("{figure:.1}{unit} it/s"))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::{End, State, html, text};
    use std::time::Duration;

    fn state(done: u64, total: Option<u64>, seconds: f64, end: Option<End>) -> State {
        State { done, total, elapsed: Duration::from_secs_f64(seconds), end, ..State::default() }
    }

    #[test]
    fn a_bar_says_how_far_how_long_how_fast() {
        let check = |done, total, seconds, end, expected: &str| {
            assert_eq!(text(&state(done, total, seconds, end)), expected);
        };
        check(
            371,
            Some(1000),
            12.3,
            None,
            " 37 % ━━━━━━━              371/1000  12.3 s  30.2 it/s  20.8 s left",
        );
        check(
            1000,
            Some(1000),
            0.5,
            Some(End::All),
            "100 % ━━━━━━━━━━━━━━━━━━━━ 1000/1000  0.5 s  2.0k it/s",
        );
        check(0, Some(3), 0.0, None, "  0 %                      0/3  0.0 s");
        check(0, Some(0), 0.0, Some(End::All), "100 % ━━━━━━━━━━━━━━━━━━━━ 0/0  0.0 s");
        check(
            2,
            Some(4),
            150.0,
            Some(End::Within),
            " 50 % ━━━━━━━━━━           2/4  2 min 30 s  1 min 15 s/it  stopped in item 3",
        );
        check(7_300_000, None, 3700.0, None, "7300000 items  1 h 01 min  2.0k it/s");
        check(1, None, 0.1, Some(End::Early), "1 item  0.1 s  10.0 it/s  stopped");
        // More than were promised are only counted.
        check(5, Some(4), 1.0, None, "5 items  1.0 s  5.0 it/s");
        check(3_000_000, None, 1.0, None, "3000000 items  1.0 s  3.0M it/s");
    }

    #[test]
    fn the_page_gets_an_element_and_no_markup_of_the_users() {
        let state = State { label: "a<b".to_owned(), ..state(1, Some(4), 1.0, None) };
        let expected = "<div>a&lt;b 25 % <progress value=\"25\" max=\"100\"></progress> &nbsp;1/4 &nbsp; 1.0 s &nbsp; 1.0 it/s &nbsp; 3.0 s left</div>";
        assert_eq!(html(&state), expected);
        assert!(text(&state).starts_with("a<b  25 %"));
    }
}
