//! Which cells of the history `%history`, `%save` and their kin mean.

use super::history::History;
use super::request::HistoryAccess;
use assay_magics::outcome::HistoryLine;
use assay_magics::plan::{HistoryRange, HistoryStep};
use std::collections::HashSet;

/// The cells that a step means, oldest first, or in the order of its ranges.
pub(crate) fn select(step: &HistoryStep, history: &mut History) -> Vec<HistoryLine> {
    let range = |range: &HistoryRange| {
        let HistoryRange { session, start, stop } = *range;
        HistoryAccess::Range { session, start, stop }
    };
    let mut lines = if let Some(pattern) = &step.pattern {
        // IPython finds a pattern anywhere in the cell.
        let pattern = format!("*{pattern}*");
        history.find(&HistoryAccess::Search { pattern, n: step.last, unique: step.unique })
    } else if !step.ranges.is_empty() {
        step.ranges.iter().flat_map(|one| history.find(&range(one))).collect()
    } else if let Some(n) = step.last {
        history.find(&HistoryAccess::Tail { n })
    } else {
        history.find(&HistoryAccess::Range { session: 0, start: 1, stop: None })
    };
    if step.unique {
        let mut seen = HashSet::new();
        lines.retain(|line| seen.insert(line.input.clone()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_selects_by_range_pattern_count_or_session() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::new(folder.path().join("h"));
        for (line, input) in (1..).zip(["let a = 1;", "a", "b", "a"]) {
            history.store(line, input, None);
        }
        let mut check = |step: HistoryStep, expected: &[i64]| {
            let lines: Vec<_> = select(&step, &mut history).iter().map(|l| l.line).collect();
            assert_eq!(lines, expected, "{step:?}");
        };
        let range = |start, stop| HistoryRange { session: 0, start, stop: Some(stop) };
        check(HistoryStep::default(), &[1, 2, 3, 4]);
        check(HistoryStep { unique: true, ..HistoryStep::default() }, &[1, 2, 3]);
        check(HistoryStep { last: Some(2), ..HistoryStep::default() }, &[3, 4]);
        check(HistoryStep { pattern: Some("a =".into()), ..HistoryStep::default() }, &[1]);
        check(HistoryStep { ranges: vec![range(3, 5), range(1, 2)], ..HistoryStep::default() }, &[3, 4, 1]);
    }
}
