//! What a day was like.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

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
    let date = entries.first().map_or_else(String::new, |entry| entry.date.clone());
    let requests = entries.len();
    let visitors = unique_visitors(&entries);
    let errors = entries.iter().filter(|entry| entry.is_error()).count();
    let percentiles = percentiles(&entries);
    let pages = top_pages(&entries);
    let hours = (0..24).map(|hour| of_hour(&entries, hour)).collect();
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
    let mut addresses: Vec<String> = Vec::new();
    for entry in entries {
        if !addresses.contains(&entry.address) {
            addresses.push(entry.address.clone());
        }
    }
    addresses.len()
}

fn percentiles(entries: &[Entry]) -> Vec<Percentile> {
    let of = |percent| Percentile { percent, micros: percentile(entries, percent) };
    [50, 75, 90, 95, 99].map(of).to_vec()
}

/// So many microseconds did this per cent of the requests take at most.
fn percentile(entries: &[Entry], percent: usize) -> u64 {
    let mut sorted = entries.to_vec();
    sorted.sort_by_key(|entry| entry.micros);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0, |entry| entry.micros)
}

fn top_pages(entries: &[Entry]) -> Vec<Page> {
    let paths: BTreeSet<&str> = entries.iter().map(Entry::page).collect();
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for path in paths {
        let requests = entries.iter().filter(|entry| entry.page() == path).count();
        counted.push((path, requests));
    }
    // The sort is stable: pages with as many requests stay in the order of the alphabet.
    counted.sort_by_key(|(_, requests)| Reverse(*requests));
    counted.truncate(10);

    let mut pages = Vec::new();
    for (path, requests) in counted {
        let of_page: Vec<Entry> = entries.iter().filter(|entry| entry.page() == path).cloned().collect();
        pages.push(Page { path: path.to_string(), requests, micros: percentile(&of_page, 95) });
    }
    pages
}

fn of_hour(entries: &[Entry], hour: u32) -> Hour {
    let of_hour: Vec<Entry> = entries.iter().filter(|entry| entry.hour() == hour).cloned().collect();
    let errors: Vec<Entry> = of_hour.iter().filter(|entry| entry.is_error()).cloned().collect();
    let bytes: Vec<u64> = of_hour.iter().map(|entry| entry.bytes).collect();
    Hour { hour, requests: of_hour.len(), errors: errors.len(), bytes: bytes.iter().sum() }
}

/// The hour with most requests. It is the first one, if several are as busy.
fn busiest(entries: &[Entry]) -> Option<Window> {
    let mut busiest: Option<Window> = None;
    let mut window: Vec<(u32, u64)> = Vec::new();
    for entry in entries {
        window.push((entry.seconds, entry.bytes));
        while window[0].0 + WINDOW <= entry.seconds {
            window.remove(0);
        }
        if busiest.as_ref().is_none_or(|busiest| window.len() > busiest.requests) {
            busiest = Some(Window {
                start: window[0].0,
                end: entry.seconds,
                requests: window.len(),
                bytes: window.iter().map(|(_, bytes)| bytes).sum(),
            });
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
    let mut sorted = entries.to_vec();
    sorted.sort_by_key(|entry| Reverse(entry.micros));
    sorted.truncate(10);
    sorted
        .into_iter()
        .map(|entry| Request {
            seconds: entry.seconds,
            method: entry.method,
            path: entry.path,
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
        match latest.get(entry.session.as_str()) {
            Some(&index) if entry.seconds < sessions[index].end + IDLE => {
                sessions[index].end = entry.seconds;
                sessions[index].requests += 1;
            }
            _ => {
                latest.insert(&entry.session, sessions.len());
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
