//! Tests that hold the house rules: who may depend on whom, one of each, documents that tell the truth.

#[cfg(test)]
mod documents;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod privacy;

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        path::{Path, PathBuf},
        process::Command,
    };

    use crate::documents::{read, root};

    use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

    /// Which room may see which: every edge that is not here is forbidden.
    const EDGES: &[(&str, &[&str])] = &[
        ("model", &[]),
        ("policy", &["model"]),
        ("presence", &["model", "policy"]),
        ("oracle", &["model"]),
        ("wire", &["model"]),
        ("persistence", &["model"]),
        ("persistence-sqlite", &["model", "persistence"]),
        ("persistence-postgres", &["model", "persistence"]),
        ("postgres-cluster", &[]),
        ("hub", &["model", "presence", "persistence", "wire"]),
        ("client", &["model", "wire"]),
        (
            "server",
            &[
                "model",
                "presence",
                "hub",
                "wire",
                "persistence",
                "persistence-sqlite",
                "persistence-postgres",
                "client",
            ],
        ),
        ("loadtest", &["model", "wire", "client", "postgres-cluster"]),
        ("benches", &["model", "policy", "presence", "wire"]),
        ("house", &[]),
    ];

    /// What a pure room may never have, in whatever depth of its own choosing.
    const PURE: &[&str] = &["model", "policy", "presence", "oracle", "wire"];
    const IMPURE: &[&str] = &["tokio", "rand", "hyper", "axum", "sqlx", "futures-util"];

    /// Of these there is one version in the whole tree.
    const ONE_OF: &[&str] =
        &["tungstenite", "tokio-tungstenite", "dashmap", "rustls", "tokio", "axum", "hyper", "sqlx"];
    /// A second cryptographic library would be a second set of advisories, and a choice made at run time.
    const NONE_OF: &[&str] = &["ring", "openssl", "openssl-sys", "native-tls"];

    fn metadata() -> Metadata {
        let manifest = root().join("Cargo.toml");
        MetadataCommand::new().manifest_path(manifest).exec().expect("cargo metadata")
    }

    #[test]
    fn rooms_see_only_whom_they_may() {
        let metadata = metadata();
        let allowed: BTreeMap<_, BTreeSet<_>> =
            EDGES.iter().map(|(room, seen)| (*room, seen.iter().copied().collect())).collect();
        for package in metadata.workspace_packages() {
            let room = package.name.as_str();
            let may_see = allowed.get(room).unwrap_or_else(|| {
                panic!("{room} is new: name in EDGES what it may see, and what it makes impossible")
            });
            let sees = package.dependencies.iter().filter(|edge| edge.kind == DependencyKind::Normal);
            for seen in sees.map(|edge| edge.name.as_str()).filter(|name| allowed.contains_key(name)) {
                assert!(may_see.contains(seen), "{room} must not see {seen}");
            }
        }
    }

    #[test]
    fn pure_rooms_have_no_runtime_and_no_chance() {
        for package in metadata().workspace_packages() {
            if !PURE.contains(&package.name.as_str()) {
                continue;
            }
            for edge in package.dependencies.iter().filter(|edge| edge.kind == DependencyKind::Normal) {
                assert!(!IMPURE.contains(&edge.name.as_str()), "{} must not see {}", package.name, edge.name);
            }
        }
    }

    /// What is really built, which is less than what the lock file holds for features nobody asked for.
    fn built() -> BTreeMap<String, BTreeSet<String>> {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let tree = ["tree", "--workspace", "--prefix", "none", "--edges", "normal,build,dev"];
        let output = Command::new(cargo).args(tree).current_dir(root()).output().expect("cargo tree");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let mut built: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            if let (Some(name), Some(version)) = (words.next(), words.next()) {
                built.entry(name.to_owned()).or_default().insert(version.to_owned());
            }
        }
        built
    }

    #[test]
    fn there_is_one_of_each() {
        let built = built();
        for name in ONE_OF {
            let versions = built.get(*name).unwrap_or_else(|| panic!("{name} is not in the tree at all"));
            assert_eq!(versions.len(), 1, "{name} in several versions: {versions:?}");
        }
        for name in NONE_OF {
            assert!(!built.contains_key(*name), "{name} is in the tree: cargo tree -i {name}");
        }
    }

    #[test]
    fn the_map_names_every_room() {
        let map = read("ARCHITECTURE.md");
        for package in metadata().workspace_packages() {
            assert!(
                map.contains(&format!("`{}`", package.name)),
                "ARCHITECTURE.md says nothing of {}",
                package.name
            );
        }
    }

    /// Every limit that has a name is explained where it is defined.
    #[test]
    fn limits_are_documented() {
        let text = read("crates/model/src/limits.rs");
        let lines: Vec<_> = text.lines().collect();
        for pair in lines.windows(2) {
            let limit = ["struct", " fn "].iter().all(|other| !pair[1].contains(other));
            let defines = limit && pair[1].trim_start().starts_with("pub ");
            assert!(!defines || pair[0].trim_start().starts_with("///"), "undocumented: {}", pair[1]);
        }
    }

    #[test]
    fn the_readme_names_every_command() {
        let readme = read("README.md");
        for command in
            ["serve", "demo", "token", "watch", "directory import", "migrate", "jobs", "check-config"]
        {
            assert!(readme.contains(command), "README.md says nothing of {command}");
        }
    }

    #[test]
    fn no_file_becomes_a_hall() {
        const CEILING: usize = 700;
        for room in ["crates", "tests", "loadtest", "benches"] {
            for file in rust_files(&root().join(room)) {
                let lines = std::fs::read_to_string(&file).expect("a readable file").lines().count();
                assert!(lines <= CEILING, "{} has {lines} lines", file.display());
            }
        }
    }

    pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        paths
            .flat_map(|path| match path.extension() {
                _ if path.is_dir() => rust_files(&path),
                Some(extension) if extension == "rs" => vec![path],
                _ => Vec::new(),
            })
            .collect()
    }
}
