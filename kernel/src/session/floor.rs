//! The noise floor of this machine: learnt from reference workloads that run beside every measurement, and kept across starts.

use super::folders::{make_private, make_private_file};
use assay_statistics::noise_floor;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Starts longer ago say little about the machine as it is; the statistics look at thirty.
const MOST_STARTS: usize = 40;

/// The form of the file.
const VERSION: u32 = 2;

/// What is known of the noise.
#[derive(Debug)]
pub(crate) struct Floor {
    file: PathBuf,
    /// Processor and compiler: what was measured with others says nothing here. None as long as nothing was measured.
    machine: Option<String>,
    /// Of the workload that asks for no memory, and of the one that does.
    learnt: [Learnt; 2],
}

/// Medians of one of the reference workloads, in seconds.
#[derive(Debug, Default)]
struct Learnt {
    /// One for each earlier start, oldest first.
    earlier: Vec<f64>,
    /// One for each measurement of this start.
    now: Vec<f64>,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    machines: BTreeMap<String, [Vec<f64>; 2]>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { version: VERSION, machines: BTreeMap::new() }
    }
}

impl Floor {
    /// What is kept in `file`, which is read when it is first needed.
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file, machine: None, learnt: Default::default() }
    }

    /// The floor on this machine, as a share, of code that asks for memory or does not: where that lies is decided anew by each start, so its figures differ more.
    pub(crate) fn on(&mut self, machine: &str, allocates: bool) -> f64 {
        if self.machine.as_deref() != Some(machine) {
            let earlier = read(&self.file).machines.remove(machine).unwrap_or_default();
            self.learnt = earlier.map(|earlier| Learnt { earlier, now: Vec::new() });
            self.machine = Some(machine.to_owned());
        }
        let [computing, allocating] = self.learnt.each_ref().map(Learnt::floor);
        if allocates { computing.max(allocating) } else { computing }
    }

    /// From how many starts it is learnt, this one included once it has measured.
    pub(crate) fn starts(&self) -> usize {
        let [learnt, _] = &self.learnt;
        learnt.earlier.len() + usize::from(!learnt.now.is_empty())
    }

    /// The reference workloads took so long beside a measurement, the one that asks for no memory first. What cannot be kept is logged: it is not the measurement's fault.
    pub(crate) fn learn(&mut self, machine: &str, seconds: [f64; 2]) {
        self.on(machine, false);
        for (learnt, seconds) in self.learnt.iter_mut().zip(seconds) {
            learnt.now.push(seconds);
        }
        if let Err(error) = self.keep(machine) {
            tracing::warn!("the noise of this machine was not kept in {}: {error}", self.file.display());
        }
    }

    fn keep(&self, machine: &str) -> io::Result<()> {
        let starts = self.learnt.each_ref().map(Learnt::starts);
        // Another kernel may have written since; of two that write at the same moment one start is lost, which does no harm.
        let mut kept = read(&self.file);
        kept.machines.insert(machine.to_owned(), starts);
        make_private(self.file.parent().unwrap_or(Path::new(".")))?;
        let draft = self.file.with_extension(format!("draft-{}", std::process::id()));
        make_private_file(&draft)?;
        fs::write(&draft, serde_json::to_vec(&kept)?)?;
        fs::rename(&draft, &self.file)
    }
}

impl Learnt {
    fn floor(&self) -> f64 {
        noise_floor(&self.earlier, &self.now)
    }

    /// As they are kept: the latest, this one included.
    fn starts(&self) -> Vec<f64> {
        let mut starts = self.earlier.clone();
        starts.push(median(&self.now));
        starts.drain(..starts.len().saturating_sub(MOST_STARTS));
        starts
    }
}

/// A file that is not there, or that another version wrote, says nothing.
fn read(file: &Path) -> Kept {
    let kept: Option<Kept> = fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    kept.filter(|kept| kept.version == VERSION).unwrap_or_default()
}

fn median(values: &[f64]) -> f64 {
    assay_statistics::Sorted::new(values).map_or(0.0, |sorted| sorted.median())
}

#[cfg(test)]
mod tests {
    use super::Floor;
    use assay_statistics::UNKNOWN_FLOOR;
    use std::fs;

    #[test]
    fn it_is_learnt_across_starts_and_for_each_machine_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data").join("noise.json");
        let mut first = Floor::new(file.clone());
        assert_eq!((first.on("one", false), first.starts()), (UNKNOWN_FLOOR, 0));
        for start in 0..30 {
            let mut floor = Floor::new(file.clone());
            for measurement in 0..3 {
                let seconds =
                    |noise: f64| 1e-6 * (1.0 + noise * f64::from(start % 3) + 1e-5 * f64::from(measurement));
                floor.learn("one", [seconds(0.001), seconds(0.03)]);
            }
        }
        let mut quiet = Floor::new(file.clone());
        assert!(quiet.on("one", false) < UNKNOWN_FLOOR);
        assert!(quiet.on("one", true) > UNKNOWN_FLOOR, "where memory lies is another story");
        assert_eq!(quiet.starts(), 30);
        assert_eq!(quiet.on("two", true), UNKNOWN_FLOOR);
        assert_eq!(quiet.starts(), 0);
    }

    #[test]
    fn code_that_allocates_is_never_surer() {
        let folder = tempfile::tempdir().unwrap();
        let mut floor = Floor::new(folder.path().join("noise.json"));
        for start in 0..30 {
            floor.learn("one", [1e-6 * (1.0 + 0.1 * f64::from(start % 3)), 1e-6]);
        }
        assert_eq!(floor.on("one", true), floor.on("one", false));
    }

    #[test]
    fn a_file_that_cannot_be_read_says_nothing_and_one_that_cannot_be_written_harms_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("noise.json");
        for text in [
            "{\"version\":99,\"machines\":{\"one\":[[1],[1]]}}",
            "{\"version\":1,\"machines\":{\"one\":[1]}}",
        ] {
            fs::write(&file, text).unwrap();
            let mut floor = Floor::new(file.clone());
            assert_eq!((floor.on("one", false), floor.starts()), (UNKNOWN_FLOOR, 0));
        }
        let mut nowhere = Floor::new("/proc/none/noise.json".into());
        nowhere.learn("one", [1e-6, 1e-6]);
        assert_eq!(nowhere.starts(), 1);
    }
}
