//! The name that somebody may have meant.

/// How like two names must be (Jaro-Winkler, 0 to 1): clap asks for 0.7 of Jaro; a name of two or three letters that shares
/// only its first passes that, so that `%xy` would suggest much that nobody meant.
const LIKENESS: f64 = 0.8;

/// The one of `names` that `typed` is most like, if it is like any.
pub fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::jaro_winkler(typed, name), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let names = ["who", "whos", "writefile", "history"];
        let check = |typed: &str, expected: Option<&str>| {
            assert_eq!(nearest(typed, names.into_iter()), expected, "{typed}");
        };
        check("hsitory", Some("history"));
        check("write_file", Some("writefile"));
        check("whso", Some("whos"));
        check("WHO", None);
        check("timeit", None);
    }
}
