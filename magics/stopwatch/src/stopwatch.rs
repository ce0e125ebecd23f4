//! What is called from outside: one piece of code, several in turns, or one at many sizes.

use crate::clock::Clock;
use crate::lane::Lane;
use crate::measurement::Measurement;
use crate::observer::Observer;
use crate::routine::{Counter, Routine};
use crate::session::Session;
use crate::settings::Settings;

/// Measures code.
///
/// A panic of the code goes through it, and what was measured until then is lost but for what the observer was told.
pub struct Stopwatch<'a> {
    /// How it measures.
    pub settings: Settings,
    /// What the budget is kept by: the clock on the wall, whatever clock the code is timed with.
    pub wall: &'a dyn Clock,
    /// Who looks on.
    pub observer: &'a mut dyn Observer,
    /// Who counts allocations, if that is possible: in ten iterations after the first block, or in as many as take a tenth of the budget; in one that takes up to a
    /// quarter of it; in none that takes longer, and in none where [`Settings::loops`] is given.
    pub counter: Option<&'a mut dyn Counter>,
}

impl<'a> Stopwatch<'a> {
    /// A stopwatch that counts nothing.
    pub fn new(settings: Settings, wall: &'a dyn Clock, observer: &'a mut dyn Observer) -> Self {
        Self { settings, wall, observer, counter: None }
    }

    /// Measures one piece of code.
    pub fn measure(&mut self, routine: &mut dyn Routine) -> Measurement {
        let mut lanes = [Lane::new(routine, self.wall, &self.settings)];
        let (elapsed, ending) = self.session(self.settings, &mut lanes).run();
        let [lane] = lanes;
        lane.finish(elapsed, ending)
    }

    /// The same at one of the sizes of a sweep, and with its share of the budget.
    pub(crate) fn measure_at(
        &mut self,
        size: u64,
        settings: Settings,
        routine: &mut dyn Routine,
    ) -> Measurement {
        let mut lanes = [Lane::new(routine, self.wall, &settings)];
        let (elapsed, ending) = self.session(settings, &mut lanes).at(size).run();
        let [lane] = lanes;
        lane.finish(elapsed, ending)
    }

    /// Measures several pieces of code in turns: in each round each has one batch, in a random order, so that what the machine does meets all of them. Their batches take about the
    /// same time. The measurements are in the order of the routines and have the same number of batches in the same blocks, so their samples can be
    /// [compared](assay_statistics::Interleaved).
    pub fn compare(&mut self, routines: &mut [&mut dyn Routine]) -> Vec<Measurement> {
        let mut lanes: Vec<Lane<'_>> =
            routines.iter_mut().map(|routine| Lane::new(&mut **routine, self.wall, &self.settings)).collect();
        let (elapsed, ending) = self.session(self.settings, &mut lanes).run();
        lanes.into_iter().map(|lane| lane.finish(elapsed, ending)).collect()
    }

    fn session<'s, 'r>(&'s mut self, settings: Settings, lanes: &'s mut [Lane<'r>]) -> Session<'s, 'r> {
        let counter = self.counter.as_mut().map(|counter| &mut **counter as &mut dyn Counter);
        Session::new(settings, self.wall, self.observer, counter, lanes)
    }
}
