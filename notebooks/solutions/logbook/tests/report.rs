//! What the report says, letter by letter.

use std::fs;

use logbook::{ParseError, analyse, region, remembered, sample, sample_of};

#[test]
fn the_report_is_the_committed_one() {
    let report = analyse(&sample(400)).unwrap();
    let expected = include_str!("expected.txt").replace("\r\n", "\n");
    assert_eq!(report.text(), expected);
}

/// A whole day is too long to be kept, so its checksum is.
#[test]
fn a_whole_day_is_the_committed_one() {
    let log = sample(5_000);
    assert_eq!(log.lines().count(), 5_000);
    assert_eq!(checksum(&log), LOG);
    assert_eq!(checksum(&analyse(&log).unwrap().text()), REPORT);
}

const LOG: u64 = 0x21aa_1aaa_0c7b_8697;
const REPORT: u64 = 0x4240_75ca_4d48_e6d9;

/// FNV-1a, of 64 bits.
fn checksum(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[test]
fn days_differ() {
    assert_eq!(sample_of(14, 50), sample(50));
    assert_ne!(sample_of(15, 50), sample(50));
}

#[test]
fn a_quiet_day_has_a_report() {
    let report = analyse("").unwrap();
    assert_eq!((report.requests, report.visitors, report.busiest), (0, 0, None));
    assert!(report.sessions.is_empty() && report.pages.is_empty() && report.slowest.is_empty());
    assert!(report.percentiles.iter().all(|percentile| percentile.micros == 0));
}

/// Small enough to be counted by hand.
const MORNING: &str = "\
2026-03-14T08:00:00 198.18.0.1 aaaa GET / 200 1000 500
2026-03-14T08:10:00 198.18.0.1 aaaa GET /search?q=red+mug&page=1 200 3000 900
2026-03-14T08:10:01 198.18.7.9 bbbb GET /search?q=oak+desk&page=2 200 2000 300
2026-03-14T08:39:59 198.18.0.1 aaaa POST /basket 503 10 700
2026-03-14T09:00:00 198.18.0.1 cccc GET / 404 20 100
2026-03-14T09:09:59 198.18.0.1 aaaa GET /product/1 200 30 200
";

#[test]
fn visitors_sessions_and_errors_are_counted() {
    let report = analyse(MORNING).unwrap();
    assert_eq!(report.date, "2026-03-14");
    assert_eq!((report.requests, report.visitors, report.errors), (6, 2, 2));

    let sessions: Vec<_> =
        report.sessions.iter().map(|session| (session.start, session.end, session.requests)).collect();
    // The last request comes half an hour after the one before it, so it begins another session.
    assert_eq!(sessions, [(28800, 31199, 3), (29401, 29401, 1), (32400, 32400, 1), (32999, 32999, 1)]);
}

#[test]
fn pages_are_counted_without_what_was_asked_of_them() {
    let report = analyse(MORNING).unwrap();
    let pages: Vec<_> =
        report.pages.iter().map(|page| (page.path.as_str(), page.requests, page.micros)).collect();
    assert_eq!(pages, [("/", 2, 500), ("/search", 2, 900), ("/basket", 1, 700), ("/product/1", 1, 200)]);
}

#[test]
fn percentiles_are_of_the_nearest_rank() {
    let report = analyse(MORNING).unwrap();
    let percentiles: Vec<_> =
        report.percentiles.iter().map(|percentile| (percentile.percent, percentile.micros)).collect();
    assert_eq!(percentiles, [(50, 300), (75, 700), (90, 900), (95, 900), (99, 900)]);
}

#[test]
fn the_busiest_hour_may_begin_at_any_second() {
    let busiest = analyse(MORNING).unwrap().busiest.unwrap();
    // At nine the request of eight o'clock is an hour old, and no longer counted.
    assert_eq!((busiest.start, busiest.end, busiest.requests, busiest.bytes), (29400, 32999, 5, 5060));

    let eight = &analyse(MORNING).unwrap().hours[8];
    assert_eq!((eight.requests, eight.errors, eight.bytes), (4, 1, 6010));
}

#[test]
fn the_slowest_come_first() {
    let report = analyse(MORNING).unwrap();
    let slowest: Vec<_> =
        report.slowest.iter().map(|request| (request.method.as_str(), request.micros)).collect();
    assert_eq!(
        slowest,
        [("GET", 900), ("POST", 700), ("GET", 500), ("GET", 300), ("GET", 200), ("GET", 100)]
    );
}

#[test]
fn the_smallest_network_decides_where_a_visitor_is_from() {
    let from = |address: &str| region(&format!("2026-03-14T08:00:00 {address} aaaa GET / 200 1 1"));
    assert_eq!(from("198.18.4.1"), Ok("Leeds"));
    assert_eq!(from("198.18.7.1"), Ok("Aberdeen"));
    assert_eq!(from("198.19.255.1"), Ok("elsewhere"));
    assert_eq!(from("localhost"), Ok("unknown"));
    // Whatever is remembered, a second question has the same answer.
    assert_eq!(from("198.18.7.1"), Ok("Aberdeen"));
}

#[test]
fn nobody_is_remembered_twice() {
    for _ in 0..2 {
        analyse(MORNING).unwrap();
    }
    let mut keys = remembered();
    keys.sort();
    let all = keys.len();
    keys.dedup();
    assert_eq!(keys.len(), all);
}

#[test]
fn what_cannot_be_read_is_named() {
    let error = |line: &str| analyse(&format!("{MORNING}{line}\n")).unwrap_err();
    let expect = |expected| ParseError { line: 7, expected };
    assert_eq!(error("2026-03-14T09:10:00 198.18.0.1 aaaa GET / 200 1000"), expect("eight fields"));
    assert_eq!(error("2026-03-14T09:10:00 198.18.0.1 aaaa GET / 200 1 1 1"), expect("eight fields"));
    assert_eq!(error("09:10:00 198.18.0.1 aaaa GET / 200 1000 500"), expect("a date and a time"));
    let time = expect("a time such as 09:26:53");
    assert_eq!(error("2026-03-14T24:10:00 198.18.0.1 aaaa GET / 200 1000 500"), time);
    assert_eq!(error("2026-03-14T09:10 198.18.0.1 aaaa GET / 200 1000 500"), time);
    assert_eq!(error("2026-03-14T09:10:00 198.18.0.1 aaaa GET / ok 1000 500"), expect("a status"));
    assert_eq!(error("2026-03-14T09:10:00 198.18.0.1 aaaa GET / 200 1k 500"), expect("a number of bytes"));
    let micros = error("2026-03-14T09:10:00 198.18.0.1 aaaa GET / 200 1000 1.5");
    assert_eq!(micros, expect("a number of microseconds"));
    assert_eq!(micros.to_string(), "line 7 of the log: expected a number of microseconds");
}

#[test]
fn the_sessions_are_saved_a_line_each() {
    let report = analyse(MORNING).unwrap();
    let path = std::env::temp_dir().join(format!("logbook-{}.csv", std::process::id()));
    report.save_sessions(&path).unwrap();
    let saved = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let expected = "\
start,end,requests,region
08:00:00,08:39:59,3,London
08:10:01,08:10:01,1,Aberdeen
09:00:00,09:00:00,1,London
09:09:59,09:09:59,1,London
";
    assert_eq!(saved, expected);
    assert!(report.save_sessions("/no/such/folder/sessions.csv").is_err());
}
