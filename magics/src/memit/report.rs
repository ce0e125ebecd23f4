//! What `%memit` says: memory_profiler's line of the resident set, the exact figures of the heap, where it was asked for, and how it grew.

use super::places::{Place, Places, places};
use crate::expression;
use crate::lines::unfinished;
use crate::magic::{Call, Complaint, Report};
use crate::measuring::is_set;
use crate::profiled::{Ending, Heap, Profiled};
use crate::profiling::{FirstLine, Watched};
use crate::render::chart::{self, Heap as Chart};
use crate::render::{Bundle, Side, Table};
use crate::result::figures::counted;
use crate::result::{Page, context, raw, title};
use crate::units::{bytes, count, duration};
use serde_json::{Value, json};

const MIB: f64 = 1024.0 * 1024.0;

/// The report.
pub(super) fn report(call: &Call, profiled: &Profiled) -> Result<Report, Complaint> {
    let watched = Watched::of(call, FirstLine::Setup)?;
    let code = watched.map_or_else(String::new, |watched| watched.source(call));
    let shown = Shown { call, profiled, code, largest: largest(profiled) };
    let value = is_set(&call.matches, "o").then(|| shown.value());
    if is_set(&call.matches, "q") {
        return Ok(Report { value, ..Report::default() });
    }
    let bundle = shown.page().bundle(shown.raw());
    Ok(Report { value, also: shown.chart(), ..Report::shown(bundle) })
}

/// The run with the largest peak: memory_profiler tells that of several, too.
fn largest(profiled: &Profiled) -> Option<&Heap> {
    // Of equals the first.
    profiled.heaps.iter().rev().max_by_key(|heap| heap.peak)
}

struct Shown<'a> {
    call: &'a Call,
    profiled: &'a Profiled,
    code: String,
    largest: Option<&'a Heap>,
}

/// The resident set in bytes: at its largest, and how much larger that is than at the beginning of the first run.
struct Resident {
    baseline: u64,
    peak: u64,
}

impl Resident {
    fn of(profiled: &Profiled) -> Option<Self> {
        let [baseline, ..] = profiled.heaps.first()?.resident?;
        let peaks = profiled.heaps.iter().filter_map(|heap| heap.resident.map(|[_, peak, _]| peak));
        Some(Self { baseline, peak: peaks.max()? })
    }

    fn increment(&self) -> u64 {
        self.peak.saturating_sub(self.baseline)
    }

    /// memory_profiler's line.
    fn line(&self) -> String {
        let mib = |bytes: u64| bytes as f64 / MIB;
        format!("peak memory: {:.2} MiB, increment: {:.2} MiB", mib(self.peak), mib(self.increment()))
    }
}

impl Shown<'_> {
    fn page(&self) -> Page {
        let mut page = Page::default();
        page = match Resident::of(self.profiled) {
            Some(resident) => page.headline(&resident.line(), ""),
            None if self.largest.is_some() => page.line("peak memory: not told by this system"),
            None => page,
        };
        let Some(heap) = self.largest else {
            let page =
                if self.profiled.doubts.is_empty() { page.line("Nothing was measured.") } else { page };
            return context::close(page.doubts(self.doubts()), &self.profiled.facts);
        };
        page = page.table_or_lines(&self.table(heap), self.lines(heap));
        page = self.held(heap).into_iter().fold(page, |page, said| page.line(&said));
        let places = places(self.profiled, self.placed(heap));
        if !places.largest.is_empty() {
            let heading = "Where it was asked for, the most at the peak first:";
            page = page.line(heading).table(&table_of_places(&places));
        }
        page = page.doubts(self.doubts());
        page = self.notes().iter().fold(page, |page, note| page.quiet(note));
        context::close(page, &self.profiled.facts)
    }

    /// The heap whose places are known: the largest one, or else another.
    fn placed<'b>(&'b self, heap: &'b Heap) -> &'b Heap {
        let any = || self.profiled.heaps.iter().find(|heap| !heap.sites.is_empty());
        if heap.sites.is_empty() { any().unwrap_or(heap) } else { heap }
    }

    /// The heap in two lines.
    fn lines(&self, heap: &Heap) -> Vec<String> {
        let [allocations, asked, peak, live, freed] = self.figures(heap);
        let peak = format!("peak heap: {peak}, {} after the beginning", duration(heap.peak_at));
        let rest = format!("{allocations}, {asked} in all · {freed} · still live: {live}");
        [Some(peak), Some(rest), self.repeats()].into_iter().flatten().collect()
    }

    /// The heap as a table, the resident set beside it.
    fn table(&self, heap: &Heap) -> Table {
        let mut table = Table::new([("Memory", Side::Left), ("One run", Side::Right)]);
        let [_, asked, peak, live, _] = self.figures(heap);
        let mut row = |name: &str, said: String| table.row([name.to_owned(), said]);
        row("Peak of the heap", peak);
        row("When", format!("{} after the beginning", duration(heap.peak_at)));
        row("Allocations", count(heap.allocations));
        row("Bytes asked for", asked);
        row("Frees", count(heap.frees));
        row("Still live afterwards", live);
        if let Some([begun, peak, ended]) = heap.resident {
            row(
                "Resident set",
                format!("{} → {} → {}", bytes(begun as f64), bytes(peak as f64), bytes(ended as f64)),
            );
        }
        if let Some(said) = self.repeats() {
            row("All runs", said);
        }
        table
    }

    /// Allocations, bytes, peak, live, frees: exact where they are large enough to be rounded.
    fn figures(&self, heap: &Heap) -> [String; 5] {
        let live = if heap.live == 0 { "nothing".to_owned() } else { exact(heap.live) };
        [
            counted(heap.allocations, "allocation"),
            exact(i64::try_from(heap.bytes).unwrap_or(i64::MAX)),
            exact(i64::try_from(heap.peak).unwrap_or(i64::MAX)),
            live,
            counted(heap.frees, "free"),
        ]
    }

    /// How several runs differ.
    fn repeats(&self) -> Option<String> {
        let heaps = &self.profiled.heaps;
        if heaps.len() < 2 {
            return None;
        }
        let range = |figure: &dyn Fn(&Heap) -> u64, show: &dyn Fn(u64) -> String| {
            let figures = || heaps.iter().map(figure);
            let (least, most) = (figures().min().unwrap_or_default(), figures().max().unwrap_or_default());
            (least != most).then(|| format!("{} to {}", show(least), show(most)))
        };
        let differ = [
            range(&|heap| heap.allocations, &count).map(|said| format!("{said} allocations")),
            range(&|heap| heap.peak, &|size| bytes(size as f64)).map(|said| format!("peaks of {said}")),
        ];
        let differ: Vec<String> = differ.into_iter().flatten().collect();
        let runs = counted(heaps.len() as u64, "run");
        Some(if differ.is_empty() {
            format!("{runs}, all alike")
        } else {
            format!("{runs}, with {}", differ.join(", "))
        })
    }

    /// What is still live, and which question to ask of it.
    fn held(&self, heap: &Heap) -> Option<String> {
        if heap.live == 0 {
            return None;
        }
        if heap.live < 0 {
            return Some(format!("{} of what was there before is freed.", bytes(-heap.live as f64)));
        }
        let names = Watched::of(self.call, FirstLine::Setup).ok().flatten().map(|watched| watched.bindings());
        let names = names.unwrap_or_default();
        if names.is_empty() {
            return Some(
                "The code left no variable: what is still live is held by one from before, a static, a cache, a thread, or by nobody. What grows again with each run is leaked.".to_owned(),
            );
        }
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        Some(format!(
            "What is still live may be in {}: what is left after `%del {}` is leaked, or held by something else.",
            quoted.join(", "),
            names.join(", ")
        ))
    }

    fn doubts(&self) -> Vec<String> {
        let unfinished = unfinished(self.profiled.run.ending);
        let found = self.profiled.doubts.iter().cloned();
        let estimated = self.profiled.estimated_places();
        let all = unfinished.into_iter().chain(found).chain(estimated);
        all.chain(context::doubts(&self.profiled.facts)).collect()
    }

    fn notes(&self) -> Vec<String> {
        let is_given = |id: &str| self.call.matches.contains_id(id) && self.call.span_of(id).is_some();
        let timeout = is_given("t").then_some("-t: nothing is sampled, so there is nothing to stop: the code runs to its end, or until it is interrupted.");
        let interval = is_given("i").then_some("-i: the peak is exact and needs no interval.");
        let children = is_set(&self.call.matches, "c")
            .then_some("-c: other processes have heaps of their own, which nothing here counts.");
        [timeout, interval, children].into_iter().flatten().map(str::to_owned).collect()
    }

    /// The live heap over time, where there is a course to be seen.
    fn chart(&self) -> Vec<Bundle> {
        let Some(heap) = self.largest.filter(|heap| heap.timeline.len() > 1 && heap.peak > 0) else {
            return Vec::new();
        };
        let peak = i64::try_from(heap.peak).ok().map(|peak| (heap.peak_at, peak));
        let drawn = Chart { title: title(&self.code), samples: heap.timeline.clone(), peak };
        chart::heap(&drawn).into_iter().collect()
    }

    fn raw(&self) -> Value {
        let heap = |heap: &Heap| {
            json!({
                "allocations": heap.allocations,
                "bytes": heap.bytes,
                "frees": heap.frees,
                "freed": heap.freed,
                "peak": heap.peak,
                "peak_at": raw::number(heap.peak_at),
                "live": heap.live,
                "resident": heap.resident,
            })
        };
        let place = |place: &Place| {
            json!({
                "at": place.at,
                "function": place.function,
                "called": place.called,
                "allocations": place.allocations,
                "bytes": place.bytes,
                "at_peak": place.at_peak,
                "live": place.live,
                "live_blocks": place.live_blocks,
            })
        };
        let places = self.largest.map(|heap| places(self.profiled, self.placed(heap))).unwrap_or_default();
        let fields = json!({
            "code": self.code,
            "heaps": self.profiled.heaps.iter().take(100).map(heap).collect::<Vec<_>>(),
            "places": places.largest.iter().map(place).collect::<Vec<_>>(),
            "warnings": self.doubts(),
        });
        raw::result("memit", fields, &self.profiled.facts)
    }

    /// `assay::MemitResult` as Rust.
    fn value(&self) -> String {
        let none = Heap::default();
        let heap = self.largest.unwrap_or(&none);
        let resident = Resident::of(self.profiled);
        let peaks = self.profiled.heaps.iter().filter_map(|heap| heap.resident.map(|[_, peak, _]| peak));
        expression::structure(
            "MemitResult",
            &[
                ("peak", expression::option(resident.as_ref().map(|resident| resident.peak))),
                ("increment", expression::option(resident.as_ref().map(Resident::increment))),
                ("peaks", expression::list(peaks.map(|peak| peak.to_string()))),
                ("repeat", self.profiled.heaps.len().to_string()),
                ("heap_peak", heap.peak.to_string()),
                ("heap_peak_at", expression::float(heap.peak_at)),
                ("allocations", heap.allocations.to_string()),
                ("bytes", heap.bytes.to_string()),
                ("frees", heap.frees.to_string()),
                ("freed", heap.freed.to_string()),
                ("live", heap.live.to_string()),
                ("partial", (self.profiled.run.ending != Ending::Finished).to_string()),
            ],
        )
    }
}

/// `4.01 MiB (4,202,464 B)`; of less than a kilobyte the bytes alone.
fn exact(size: i64) -> String {
    let short = bytes(size as f64);
    if size.unsigned_abs() < 1024 {
        return short;
    }
    let sign = if size < 0 { "-" } else { "" };
    format!("{short} ({sign}{} B)", count(size.unsigned_abs()))
}

fn table_of_places(places: &Places) -> Table {
    let columns = [
        ("Where", Side::Left),
        ("At the peak", Side::Right),
        ("Still live", Side::Right),
        ("Bytes", Side::Right),
        ("Allocs", Side::Right),
    ];
    let mut table = Table::new(columns);
    let size = |figure: u64| if figure == 0 { String::new() } else { bytes(figure as f64) };
    let mut row = |name: String, place: &Place| {
        table.row([
            name,
            size(place.at_peak),
            size(place.live),
            bytes(place.bytes as f64),
            count(place.allocations),
        ]);
    };
    places.largest.iter().for_each(|place| row(place.name(), place));
    if places.others > 0 {
        row(counted(places.others as u64, "other place"), &places.rest);
    }
    table.without_empty_columns()
}
