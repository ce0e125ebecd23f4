//! The progress of a build: one line that changes in place while cargo works, and says at the end how much was built.

use super::super::Output;
use assay_magics::render::Bundle;
use uuid::Uuid;

/// The build that is under way, if there is one.
#[derive(Debug, Default)]
pub(super) struct Builds {
    /// What its line is called: unlike any other that may stand on the same page.
    display_id: String,
    /// How many crates it has come to.
    crates: u64,
}

impl Builds {
    /// Another crate, `itertools v0.14.0`, is being built.
    pub(super) fn next(&mut self, package: &str) -> Output {
        let bundle = Bundle::text(format!("building {package} …"));
        self.crates += 1;
        if self.crates > 1 {
            return Output::UpdateDisplay { bundle, display_id: self.display_id.clone() };
        }
        self.display_id = Uuid::new_v4().to_string();
        Output::Display { bundle, display_id: Some(self.display_id.clone()) }
    }

    /// The build is over, if there was one.
    pub(super) fn end(&mut self) -> Option<Output> {
        let bundle = match std::mem::take(&mut self.crates) {
            0 => return None,
            1 => Bundle::text("built 1 crate"),
            crates => Bundle::text(format!("built {crates} crates")),
        };
        Some(Output::UpdateDisplay { bundle, display_id: self.display_id.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_for_each_build() {
        let mut builds = Builds::default();
        let (mut said, mut names) = (Vec::new(), Vec::new());
        let mut say = |output: Option<Output>| match output {
            None => said.push("nothing".to_owned()),
            Some(Output::Display { bundle, display_id }) => {
                names.push(display_id.unwrap());
                said.push(format!("new {}", bundle.plain()));
            }
            Some(Output::UpdateDisplay { bundle, display_id }) => {
                assert_eq!(names.last(), Some(&display_id));
                said.push(bundle.plain().to_owned());
            }
            Some(other) => panic!("{other:?}"),
        };
        say(builds.end());
        say(Some(builds.next("either v1")));
        say(Some(builds.next("itertools v2")));
        say(builds.end());
        say(builds.end());
        say(Some(builds.next("libm v3")));
        say(builds.end());
        let expected = [
            "nothing",
            "new building either v1 …",
            "building itertools v2 …",
            "built 2 crates",
            "nothing",
            "new building libm v3 …",
            "built 1 crate",
        ];
        assert_eq!(said, expected);
        assert_ne!(names[0], names[1]);
    }
}
