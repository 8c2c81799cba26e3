//! Parts of documents that are made from the code, and held to it.
//!
//! A part lies between two comments of its document. A test that finds another text there fails; told to write, it
//! writes what the code makes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// What writes all parts anew.
pub(crate) const WRITE: &str = "HOUSE_DOCUMENTS=write cargo test -p house";

/// Tests run at once, and two may hold parts of one document.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The folder that the workspace is in.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("two folders below the root").to_owned()
}

/// The text of a file of the workspace.
pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Holds a part of a document to what the code makes of it, or writes it.
pub(crate) fn hold(name: &str, part: &str, made: &str) {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let text = read(name);
    let (before, found, after) = split(&text, part).unwrap_or_else(|| panic!("{name} has no part {part:?}"));
    if found == made {
        return;
    }
    assert_eq!(
        std::env::var("HOUSE_DOCUMENTS").as_deref(),
        Ok("write"),
        "{name} does not say of {part:?} what the code does. This writes it anew: {WRITE}\n{}",
        first_difference(found, made)
    );
    fs::write(root().join(name), [before, made, after].concat()).expect("a document that can be written");
}

/// What is before a part, the part itself, and what is after it; each with its comment.
fn split<'a>(text: &'a str, part: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let begin = format!("<!-- {part}: made from the code -->\n");
    let end = format!("<!-- end of {part} -->\n");
    let from = text.find(&begin)? + begin.len();
    let to = from + text[from..].find(&end)?;
    Some((&text[..from], &text[from..to], &text[to..]))
}

fn first_difference(found: &str, made: &str) -> String {
    let mut pairs = found.lines().zip(made.lines());
    match pairs.find(|(found, made)| found != made) {
        Some((found, made)) => format!("it says: {found}\nthe code: {made}"),
        None => format!("it has {} lines, the code makes {}", found.lines().count(), made.lines().count()),
    }
}

/// A table of Markdown.
pub(crate) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut lines = vec![row(head), format!("|{}", "---|".repeat(head.len()))];
    lines.extend(rows.into_iter().map(|cells| row(&cells)));
    lines.join("\n") + "\n"
}

fn row(cells: &[impl AsRef<str>]) -> String {
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    assert!(!cells.iter().any(|cell| cell.contains(['|', '\n'])), "{cells:?} break their table");
    format!("| {} |", cells.join(" | "))
}

#[test]
fn a_part_is_found_between_its_comments_and_nowhere_else() {
    let text = "a\n<!-- x: made from the code -->\nb\n<!-- end of x -->\nc\n";
    let (before, found, after) = split(text, "x").unwrap();
    assert_eq!((found, [before, found, after].concat()), ("b\n", text.to_owned()));
    assert_eq!(split(text, "y"), None);
    assert_eq!(first_difference("a\nb\n", "a\nc\n"), "it says: b\nthe code: c");
    assert_eq!(
        table(&["x", "y"], [vec!["1".to_owned(), "2".to_owned()]]),
        "| x | y |\n|---|---|\n| 1 | 2 |\n"
    );
}
