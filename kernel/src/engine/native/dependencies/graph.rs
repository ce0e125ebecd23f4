//! Which packages there are, and what they are called by those that need them: what `cargo metadata` says.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The packages of a notebook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Graph {
    /// What code may name, with the package that it is.
    pub(super) direct: BTreeMap<String, String>,
    pub(super) packages: BTreeMap<String, Package>,
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// Its manifest, if its source is the user's own: a folder on this machine.
    pub(super) local: Option<PathBuf>,
    pub(super) features: Vec<String>,
    /// The packages that it needs.
    needs: BTreeSet<String>,
}

impl Graph {
    /// Reads it.
    pub(super) fn read(text: &[u8]) -> serde_json::Result<Self> {
        let metadata: Metadata = serde_json::from_slice(text)?;
        let mut nodes: BTreeMap<String, Node> =
            metadata.resolve.nodes.into_iter().map(|node| (node.id.clone(), node)).collect();
        let root = metadata.resolve.root.unwrap_or_default();
        let root_node = nodes.remove(&root);
        let direct = root_node.into_iter().flat_map(|node| node.deps).map(|needed| (needed.name, needed.pkg));
        let packages = metadata.packages.into_iter().filter(|package| package.id != root).map(|package| {
            let node = nodes.remove(&package.id);
            let (features, deps) = node.map(|node| (node.features, node.deps)).unwrap_or_default();
            let needs = deps.into_iter().map(|needed| needed.pkg).collect();
            let local = package.source.is_none().then_some(package.manifest_path);
            (package.id, Package { name: package.name, version: package.version, local, features, needs })
        });
        Ok(Self { direct: direct.collect(), packages: packages.collect() })
    }

    /// The packages of the user's own, and all that stand on them.
    pub(super) fn own(&self) -> BTreeSet<&str> {
        let mut own = BTreeSet::new();
        loop {
            let before = own.len();
            for (id, package) in &self.packages {
                if package.local.is_some() || package.needs.iter().any(|need| own.contains(need.as_str())) {
                    own.insert(id.as_str());
                }
            }
            if own.len() == before {
                return own;
            }
        }
    }
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Described>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
struct Described {
    id: String,
    name: String,
    version: String,
    source: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
    root: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Needed>,
    features: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Needed {
    name: String,
    pkg: String,
}

#[cfg(test)]
mod tests {
    use super::Graph;

    #[test]
    fn names_are_those_of_the_root() {
        let text = r#"{"packages":[
            {"id":"r","name":"root","version":"0.0.0","source":null,"manifest_path":"/r/Cargo.toml"},
            {"id":"a","name":"rand","version":"0.8.5","source":"registry+x","manifest_path":"/a/Cargo.toml"},
            {"id":"b","name":"rand","version":"0.9.0","source":"registry+x","manifest_path":"/b/Cargo.toml"},
            {"id":"c","name":"mine","version":"0.1.0","source":null,"manifest_path":"/c/Cargo.toml"}],
            "resolve":{"root":"r","nodes":[
            {"id":"r","deps":[{"name":"old_rand","pkg":"a","dep_kinds":[]},{"name":"mine","pkg":"c"}],"features":[]},
            {"id":"a","deps":[],"features":["std"]},{"id":"b","deps":[],"features":[]},
            {"id":"c","deps":[{"name":"rand","pkg":"b"}],"features":[]}]}}"#;
        let graph = Graph::read(text.as_bytes()).unwrap();
        let direct: Vec<_> = graph.direct.iter().map(|(name, id)| format!("{name} {id}")).collect();
        assert_eq!(direct, ["mine c", "old_rand a"]);
        assert_eq!(graph.packages.len(), 3);
        assert_eq!(graph.packages["a"].features, ["std"]);
        assert_eq!(graph.packages["a"].local, None);
        assert_eq!(graph.packages["c"].local.as_deref(), Some("/c/Cargo.toml".as_ref()));
        assert_eq!(graph.own().into_iter().collect::<Vec<_>>(), ["c"]);
        // As a `[patch]` makes it.
        let patched =
            text.replace(r#"{"id":"a","deps":[]"#, r#"{"id":"a","deps":[{"name":"mine","pkg":"c"}]"#);
        let patched = Graph::read(patched.as_bytes()).unwrap();
        assert_eq!(patched.own().into_iter().collect::<Vec<_>>(), ["a", "c"]);
        assert!(Graph::read(b"{}").is_err());
    }
}
