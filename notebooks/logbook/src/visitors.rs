//! Where visitors come from.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use crate::entry::{Entry, ParseError, parse_line};

/// The networks and their regions, as the provider lists them. Smaller networks lie within larger ones.
const NETWORKS: &str = include_str!("networks.txt");

/// Looking a visitor up takes its time, so everybody is looked up once. Several people behind one
/// router share an address, but not a session.
static KNOWN: LazyLock<Mutex<HashMap<String, &'static str>>> = LazyLock::new(Mutex::default);

/// The region that the request of one line came from. The shop asks this for every request.
pub fn region(line: &str) -> Result<&'static str, ParseError> {
    let entry = parse_line(line).map_err(|expected| ParseError { line: 1, expected })?;
    Ok(region_of(&entry))
}

/// The visitors that have been looked up, for the status page.
pub fn remembered() -> Vec<String> {
    let known = KNOWN.lock().unwrap();
    known.keys().cloned().collect()
}

pub fn region_of(entry: &Entry) -> &'static str {
    let visitor = format!("{}@{}", entry.session, entry.address);
    let mut known = KNOWN.lock().unwrap();
    known.entry(visitor).or_insert_with(|| look_up(&entry.address))
}

/// The region of the smallest network that an address belongs to.
fn look_up(address: &str) -> &'static str {
    let Some(address) = parse_address(address) else {
        return "unknown";
    };
    let mut found = ("elsewhere", 0);
    for line in NETWORKS.lines() {
        let Some((first, bits, region)) = parse_network(line) else {
            continue;
        };
        let belongs = (address ^ first) >> (32 - bits) == 0;
        if belongs && bits > found.1 {
            found = (region, bits);
        }
    }
    found.0
}

/// The first address, the length of the prefix, and the region of `198.18.4.0/22 Leeds`.
fn parse_network(line: &'static str) -> Option<(u32, u32, &'static str)> {
    let (network, region) = line.split_once(' ')?;
    let (first, bits) = network.split_once('/')?;
    let bits = bits.parse().ok().filter(|bits| (1..=32).contains(bits))?;
    Some((parse_address(first)?, bits, region))
}

fn parse_address(address: &str) -> Option<u32> {
    address.parse::<std::net::Ipv4Addr>().ok().map(u32::from)
}
