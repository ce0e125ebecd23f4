//! How much of the whole something is, at a glance: a colour behind a cell, and a block in text.

/// Okabe and Ito's vermillion, which colour-blind people see too. More of the whole is more of it over the page, so that it stands out from a white page and from a dark one alike, and
/// text in the page's own colour has a contrast of 4.5 : 1 on it.
const HOT: &str = "#d55e00";
/// How opaque it is where something is all of it: black on it has 6.6 : 1 over white, white on it has 4.9 : 1 over #111.
const MOST: f64 = 0.85;
/// Less than this is nothing.
const LEAST: f64 = 0.005;

/// The colour behind a cell that is this share (0 to 1) of the whole; none for as good as nothing. It grows faster in the beginning: a fifth is to be seen.
pub(crate) fn colour(share: f64) -> Option<String> {
    (share >= LEAST).then(|| {
        let opacity = MOST * share.clamp(0.0, 1.0).powf(0.6);
        format!("{HOT}{:02x}", (255.0 * opacity).round() as u8)
    })
}

/// The same as a block that is eight eighths tall where something is all of it; a space for as good as nothing.
pub(crate) fn block(share: f64) -> char {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    if share < LEAST {
        return ' ';
    }
    let eighths = (share.clamp(0.0, 1.0) * 8.0).ceil() as usize;
    BLOCKS[eighths.clamp(1, 8) - 1]
}

#[cfg(test)]
mod tests {
    use super::{block, colour};

    #[test]
    fn more_is_taller_and_more_opaque() {
        let blocks: String = [0.0, 0.004, 0.01, 0.125, 0.2, 0.5, 0.7, 1.0, 2.0].map(block).iter().collect();
        assert_eq!(blocks, "  ▁▁▂▄▆██");
        assert_eq!(colour(0.001), None);
        assert_eq!(colour(1.0).as_deref(), Some("#d55e00d9"));
        assert_eq!(colour(0.2).as_deref(), Some("#d55e0053"));
    }
}
