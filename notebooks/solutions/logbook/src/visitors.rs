//! Where visitors come from.

use std::sync::LazyLock;

use crate::entry::{Entry, ParseError, parse_line};

/// The networks and their regions, as the provider lists them. Smaller networks lie within larger ones.
static NETWORKS: LazyLock<Vec<Network>> =
    LazyLock::new(|| include_str!("networks.txt").lines().filter_map(Network::parse).collect());

struct Network {
    first: u32,
    /// The length of the prefix that all of its addresses share.
    bits: u32,
    region: &'static str,
}

/// The region that the request of one line came from. The shop asks this for every request.
pub fn region(line: &str) -> Result<&'static str, ParseError> {
    let entry = parse_line(line).map_err(|expected| ParseError { line: 1, expected })?;
    Ok(region_of(&entry))
}

/// The visitors that are remembered, for the status page: none, for a look-up in the table is quick.
pub fn remembered() -> Vec<String> {
    Vec::new()
}

/// The region of the smallest network that the address of a request belongs to.
pub fn region_of(entry: &Entry) -> &'static str {
    let Some(address) = parse_address(entry.address) else {
        return "unknown";
    };
    let networks = NETWORKS.iter().filter(|network| network.contains(address));
    networks.max_by_key(|network| network.bits).map_or("elsewhere", |network| network.region)
}

impl Network {
    /// The network of `198.18.4.0/22 Leeds`.
    fn parse(line: &'static str) -> Option<Network> {
        let (network, region) = line.split_once(' ')?;
        let (first, bits) = network.split_once('/')?;
        let bits = bits.parse().ok().filter(|bits| (1..=32).contains(bits))?;
        Some(Network { first: parse_address(first)?, bits, region })
    }

    fn contains(&self, address: u32) -> bool {
        (address ^ self.first) >> (32 - self.bits) == 0
    }
}

fn parse_address(address: &str) -> Option<u32> {
    address.parse::<std::net::Ipv4Addr>().ok().map(u32::from)
}
