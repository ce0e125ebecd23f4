//! The crates that every cell is linked to, as source: the kernel carries it, and the user's rustc compiles it.

/// A crate of ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crate {
    pub(crate) name: &'static str,
    /// Paths from the folder of its `lib.rs`, and texts.
    pub(crate) files: &'static [(&'static str, &'static str)],
}

/// The files of a folder, with their texts.
macro_rules! files {
    ($folder:literal: $($path:literal)*) => {
        &[$(($path, include_str!(concat!("../../../../../", $folder, "/", $path)))),*]
    };
}

/// What the runtime is built on, in the order in which each needs those before it. Tests and what only tests use are not there.
pub(crate) const BELOW: [Crate; 2] = [
    Crate {
        name: "assay_statistics",
        files: files!("magics/statistics/src":
            "assertion.rs" "bootstrap.rs" "comparison.rs" "complexity.rs" "complexity/class.rs" "complexity/fit.rs" "distribution.rs" "floor.rs" "generator.rs"
            "interval.rs" "lib.rs" "outliers.rs" "quantiles.rs" "rank_test.rs" "sample.rs" "stopping.rs" "units.rs" "warning.rs" "warning/modes.rs"
            "warning/trend.rs"),
    },
    Crate {
        name: "assay_stopwatch",
        files: files!("magics/stopwatch/src":
            "clock.rs" "course.rs" "desk.rs" "each.rs" "gauge.rs" "lane.rs" "lib.rs" "loops.rs" "measurement.rs" "observer.rs" "routine.rs" "session.rs"
            "session/claim.rs" "settings.rs" "stopwatch.rs" "sweep.rs" "threads.rs" "turns.rs" "turns/run.rs"),
    },
];

/// The cell runtime.
pub(crate) const RUNTIME: Crate = Crate {
    name: "assay",
    files: files!("kernel/cell/src":
        "cell.rs" "cell/show.rs" "cell/wait.rs" "content.rs" "content/base64.rs" "cost.rs" "display.rs" "entry.rs" "flusher.rs" "hook.rs" "input.rs" "lib.rs"
        "measure.rs" "measure/agree.rs" "measure/calls.rs" "measure/instruments.rs" "measure/json.rs" "measure/meter.rs" "measure/profile.rs" "measure/reference.rs" "measure/result.rs" "measure/tell.rs" "measure/time.rs"
        "outlet.rs" "progress.rs" "progress/board.rs" "progress/words.rs" "run.rs" "stop.rs" "store.rs" "table.rs" "trace.rs"),
};

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Crate> {
    BELOW.into_iter().chain([RUNTIME])
}

#[cfg(test)]
mod tests {
    use super::all;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// The modules that a file declares outside of its tests.
    fn modules(path: &str, text: &str) -> BTreeSet<String> {
        let folder = path.strip_suffix(".rs").filter(|path| *path != "lib");
        let within = |name: &str| match folder {
            Some(folder) => format!("{folder}/{name}.rs"),
            None => format!("{name}.rs"),
        };
        let (mut found, mut is_test) = (BTreeSet::new(), false);
        for line in text.lines() {
            let declared = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
            if let Some(name) = declared.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'))
                && !is_test
            {
                found.insert(within(name));
            }
            is_test = line == "#[cfg(test)]";
        }
        found
    }

    #[test]
    fn every_module_is_there_and_nothing_else() {
        for one in all() {
            let there: BTreeSet<String> = one.files.iter().map(|(path, _)| (*path).to_owned()).collect();
            let mut declared: BTreeSet<String> =
                one.files.iter().flat_map(|(path, text)| modules(path, text)).collect();
            declared.insert("lib.rs".to_owned());
            assert_eq!(there, declared, "{}", one.name);
            assert!(one.files.iter().all(|(path, _)| Path::new(path).is_relative()));
        }
    }
}
