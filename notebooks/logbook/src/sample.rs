//! A log to try things with. The same arguments always make the same log.

use std::collections::VecDeque;
use std::fmt::Write;

/// How busy each hour of the day is, compared with the others.
const BUSY: [u64; 24] =
    [6, 4, 2, 2, 2, 3, 7, 14, 22, 27, 30, 31, 34, 30, 28, 27, 29, 34, 42, 50, 56, 48, 30, 14];

const ADJECTIVES: [&str; 12] =
    ["blue", "brass", "folding", "green", "heavy", "large", "oak", "plain", "red", "round", "small", "tall"];
const THINGS: [&str; 16] = [
    "basket", "bench", "bowl", "chair", "clock", "desk", "frame", "jug", "kettle", "lamp", "mirror", "mug",
    "rug", "shelf", "stool", "vase",
];

/// So many visits are going on at any time.
const VISITS: usize = 40;

/// The log of a day, of so many lines.
pub fn sample(lines: usize) -> String {
    sample_of(14, lines)
}

/// The log of a day of March 2026, of so many lines.
pub fn sample_of(day: u32, lines: usize) -> String {
    let mut random = Random(u64::from(day));
    let mut visits = VecDeque::with_capacity(VISITS);
    let mut addresses = Vec::new();
    let mut log = String::with_capacity(lines * 100);
    for number in 0..lines {
        if visits.len() < VISITS || random.below(100) < 35 {
            visits.truncate(VISITS - 1);
            visits.push_front((random.address(&mut addresses), random.next()));
        }
        let (address, session) = visits[random.below(visits.len() as u64) as usize];
        let seconds = time_of(number as u64, lines as u64);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let [a, b, c, d] = address;
        // Writing to a string cannot fail.
        let _ = write!(log, "2026-03-{day:02}T{hour:02}:{minute:02}:{second:02} ");
        let _ = write!(log, "{a}.{b}.{c}.{d} {session:016x} ");
        random.request(&mut log, hour);
    }
    log
}

/// The second of the day at which a line of the log was written.
fn time_of(number: u64, lines: u64) -> u64 {
    let total: u64 = BUSY.iter().sum();
    // The place within the day, in parts of 3600 for each unit of business.
    let mut place = number * total * 3600 / lines;
    for (hour, busy) in BUSY.iter().enumerate() {
        if place < busy * 3600 {
            return hour as u64 * 3600 + place / busy;
        }
        place -= busy * 3600;
    }
    86_399
}

/// SplitMix64, by Sebastiano Vigna: small, and good enough for a sample.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// The smaller of two, so that small numbers come more often.
    fn small(&mut self, end: u64) -> u64 {
        self.below(end).min(self.below(end))
    }

    /// One visitor in eight has been here before. The addresses are those that RFC 2544 sets aside.
    fn address(&mut self, known: &mut Vec<[u8; 4]>) -> [u8; 4] {
        if !known.is_empty() && self.below(8) == 0 {
            return known[self.below(known.len() as u64) as usize];
        }
        let address = [198, 18 + self.below(2) as u8, self.below(256) as u8, self.below(256) as u8];
        known.push(address);
        address
    }

    /// The rest of a line: what was asked for, and how it was answered.
    fn request(&mut self, log: &mut String, hour: u64) {
        let _ = match self.below(100) {
            0..16 => self.answer(log, format_args!("GET /"), 18_000, 6_000),
            16..26 => self.answer(log, format_args!("GET /static/shop.css"), 31_000, 900),
            26..58 => {
                let number = 1000 + self.small(2_400);
                self.answer(log, format_args!("GET /product/{number}"), 24_000, 22_000)
            }
            58..74 => {
                let adjective = ADJECTIVES[self.below(12) as usize];
                let (thing, page) = (THINGS[self.below(16) as usize], 1 + self.small(9));
                let path = format_args!("GET /search?q={adjective}+{thing}&page={page}");
                self.answer(log, path, 12_000, 60_000)
            }
            74..83 => self.answer(log, format_args!("POST /basket"), 2_000, 15_000),
            83..88 => self.answer(log, format_args!("POST /login"), 1_200, 80_000),
            88..96 => {
                let order = 40_000 + self.below(9_000);
                self.answer(log, format_args!("GET /account/orders/{order}"), 7_000, 30_000)
            }
            // In the evening it is too much for the till.
            _ => {
                let micros = if (19..22).contains(&hour) { 420_000 } else { 140_000 };
                self.answer(log, format_args!("POST /checkout"), 3_000, micros)
            }
        };
    }

    fn answer(
        &mut self,
        log: &mut String,
        request: std::fmt::Arguments<'_>,
        bytes: u64,
        micros: u64,
    ) -> std::fmt::Result {
        let status = match self.below(1_000) {
            0..880 => 200,
            880..960 => 304,
            960..985 => 404,
            985..995 => 500,
            _ => 503,
        };
        let bytes = if status == 200 { bytes / 2 + self.below(bytes) } else { 180 };
        let mut micros = micros / 3 + self.small(micros * 2);
        // Now and then the database thinks about it.
        if self.below(100) == 0 {
            micros *= 4 + self.below(12);
        }
        writeln!(log, "{request} {status} {bytes} {micros}")
    }
}
