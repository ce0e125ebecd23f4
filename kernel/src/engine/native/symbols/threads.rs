//! Which threads of several runs are one to the user: those of the same role.

use assay_link::watch::Thread;
use std::collections::BTreeMap;

/// The threads of all runs. The one that ran the code comes first.
#[derive(Debug, Default)]
pub(super) struct Threads {
    names: Vec<String>,
    /// A thread's number, by its name and how many of that name came before it in its run.
    known: BTreeMap<(String, usize), usize>,
}

impl Threads {
    /// The number of each thread of a run.
    pub(super) fn roles(&mut self, threads: &[Thread]) -> Vec<usize> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut roles = Vec::with_capacity(threads.len());
        for (index, thread) in threads.iter().enumerate() {
            let first = index == 0;
            let name = match thread.name.as_str() {
                "" if first => "cell",
                "" => "thread",
                name => name,
            };
            if first {
                if self.names.is_empty() {
                    self.names.push(name.to_owned());
                }
                roles.push(0);
                continue;
            }
            let count = counts.entry(name).or_default();
            let next = self.names.len();
            let role = *self.known.entry((name.to_owned(), *count)).or_insert(next);
            if role == next {
                self.names.push(name.to_owned());
            }
            *count += 1;
            roles.push(role);
        }
        roles
    }

    /// Their names; those that share one are numbered.
    pub(super) fn names(self) -> Vec<String> {
        let mut names = self.names;
        let several: Vec<_> =
            self.known.keys().filter(|(_, number)| *number == 1).map(|(name, _)| name.clone()).collect();
        for ((name, number), role) in &self.known {
            if several.contains(name)
                && let Some(shown) = names.get_mut(*role)
            {
                *shown = format!("{name} {}", number + 1);
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::Threads;
    use assay_link::watch::Thread;

    #[test]
    fn threads_of_the_same_role_are_one() {
        let run = |names: &[&str]| {
            let thread = |(id, name): (u32, &&str)| Thread { id, name: (*name).to_owned() };
            (1..).zip(names).map(thread).collect::<Vec<_>>()
        };
        let mut threads = Threads::default();
        assert_eq!(threads.roles(&run(&["cells", "pool", "pool", ""])), [0, 1, 2, 3]);
        assert_eq!(threads.roles(&run(&["cells", "", "pool", "other", "pool"])), [0, 3, 1, 4, 2]);
        assert_eq!(threads.names(), ["cells", "pool 1", "pool 2", "thread", "other"]);
        assert!(Threads::default().names().is_empty());
    }
}
