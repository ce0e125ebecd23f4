//! What a day was like.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::entry::{Entry, ParseError, parse};
use crate::visitors::region_of;

/// A session ends when nothing was asked for in so many seconds.
const IDLE: u32 = 30 * 60;

/// The window in which requests are counted for the busiest time, in seconds.
const WINDOW: u32 = 60 * 60;

/// What a day was like.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub date: String,
    pub requests: usize,
    /// Different addresses.
    pub visitors: usize,
    pub errors: usize,
    pub percentiles: Vec<Percentile>,
    /// The ten pages that were asked for most.
    pub pages: Vec<Page>,
    pub hours: Vec<Hour>,
    pub busiest: Option<Window>,
    /// Requests by region, most first.
    pub regions: Vec<(&'static str, usize)>,
    /// The ten requests that took longest.
    pub slowest: Vec<Request>,
    pub sessions: Vec<Session>,
}

/// So much per cent of the requests took so many microseconds at most.
#[derive(Debug, Clone, PartialEq)]
pub struct Percentile {
    pub percent: usize,
    pub micros: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub path: String,
    pub requests: usize,
    /// 95 per cent of the requests took so many microseconds at most.
    pub micros: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Hour {
    pub hour: u32,
    pub requests: usize,
    pub errors: usize,
    pub bytes: u64,
}

/// An hour that may begin at any second.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Seconds since midnight, as everywhere.
    pub start: u32,
    pub end: u32,
    pub requests: usize,
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub seconds: u32,
    pub method: String,
    pub path: String,
    pub status: u16,
    pub micros: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    pub start: u32,
    pub end: u32,
    pub requests: usize,
    pub region: &'static str,
}

/// Reads a log and makes the report of it.
pub fn analyse(log: &str) -> Result<Report, ParseError> {
    let entries = parse(log)?;
    let date = entries.first().map_or_else(String::new, |entry| entry.date.to_string());
    let requests = entries.len();
    let visitors = unique_visitors(&entries);
    let errors = entries.iter().filter(|entry| entry.is_error()).count();
    let percentiles = percentiles(&entries);
    let pages = top_pages(&entries);
    let hours = hours(&entries);
    let busiest = busiest(&entries);
    let regions = regions(&entries);
    let slowest = slowest(&entries);
    let sessions = sessions(&entries);
    Ok(Report {
        date,
        requests,
        visitors,
        errors,
        percentiles,
        pages,
        hours,
        busiest,
        regions,
        slowest,
        sessions,
    })
}

fn unique_visitors(entries: &[Entry]) -> usize {
    entries.iter().map(|entry| entry.address).collect::<HashSet<_>>().len()
}

fn percentiles(entries: &[Entry]) -> Vec<Percentile> {
    let mut micros: Vec<u64> = entries.iter().map(|entry| entry.micros).collect();
    micros.sort_unstable();
    let of = |percent| Percentile { percent, micros: percentile(&micros, percent) };
    [50, 75, 90, 95, 99].map(of).to_vec()
}

/// So many microseconds did this per cent of the requests take at most. The slice is sorted.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

fn top_pages(entries: &[Entry]) -> Vec<Page> {
    let mut times: HashMap<&str, Vec<u64>> = HashMap::new();
    for entry in entries {
        times.entry(entry.page()).or_default().push(entry.micros);
    }
    let mut pages: Vec<(&str, Vec<u64>)> = times.into_iter().collect();
    // Pages with as many requests stand in the order of the alphabet.
    pages.sort_unstable_by_key(|(path, micros)| (Reverse(micros.len()), *path));
    pages.truncate(10);

    let page = |(path, mut micros): (&str, Vec<u64>)| {
        micros.sort_unstable();
        Page { path: path.to_string(), requests: micros.len(), micros: percentile(&micros, 95) }
    };
    pages.into_iter().map(page).collect()
}

fn hours(entries: &[Entry]) -> Vec<Hour> {
    let mut hours: Vec<Hour> = (0..24).map(|hour| Hour { hour, requests: 0, errors: 0, bytes: 0 }).collect();
    for entry in entries {
        let hour = &mut hours[entry.hour() as usize];
        hour.requests += 1;
        hour.errors += usize::from(entry.is_error());
        hour.bytes += entry.bytes;
    }
    hours
}

/// The hour with most requests. It is the first one, if several are as busy.
fn busiest(entries: &[Entry]) -> Option<Window> {
    let mut busiest: Option<Window> = None;
    let mut window: VecDeque<&Entry> = VecDeque::new();
    let mut bytes = 0;
    for entry in entries {
        window.push_back(entry);
        bytes += entry.bytes;
        while let Some(oldest) = window.pop_front_if(|oldest| oldest.seconds + WINDOW <= entry.seconds) {
            bytes -= oldest.bytes;
        }
        if busiest.as_ref().is_none_or(|busiest| window.len() > busiest.requests) {
            busiest =
                Some(Window { start: window[0].seconds, end: entry.seconds, requests: window.len(), bytes });
        }
    }
    busiest
}

fn regions(entries: &[Entry]) -> Vec<(&'static str, usize)> {
    let mut counted: BTreeMap<&'static str, usize> = BTreeMap::new();
    for entry in entries {
        *counted.entry(region_of(entry)).or_default() += 1;
    }
    let mut regions: Vec<_> = counted.into_iter().collect();
    regions.sort_by_key(|(_, requests)| Reverse(*requests));
    regions
}

fn slowest(entries: &[Entry]) -> Vec<Request> {
    // The sort is stable: of requests that took as long the earlier comes first.
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by_key(|entry| Reverse(entry.micros));
    sorted.truncate(10);
    sorted
        .into_iter()
        .map(|entry| Request {
            seconds: entry.seconds,
            method: entry.method.to_string(),
            path: entry.path.to_string(),
            status: entry.status,
            micros: entry.micros,
        })
        .collect()
}

/// The sessions in the order in which they began.
fn sessions(entries: &[Entry]) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    let mut latest: HashMap<&str, usize> = HashMap::new();
    for entry in entries {
        match latest.get(entry.session) {
            Some(&index) if entry.seconds < sessions[index].end + IDLE => {
                sessions[index].end = entry.seconds;
                sessions[index].requests += 1;
            }
            _ => {
                latest.insert(entry.session, sessions.len());
                sessions.push(Session {
                    start: entry.seconds,
                    end: entry.seconds,
                    requests: 1,
                    region: region_of(entry),
                });
            }
        }
    }
    sessions
}
