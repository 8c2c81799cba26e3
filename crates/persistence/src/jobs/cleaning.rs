//! People who were erased are removed from the archive, too.

use std::{collections::HashMap, path::Path, sync::Arc};

use model::Wall;
use uuid::Uuid;

use super::{JobError, Report, lease::Lease};
use crate::{
    ArchiveError, ArchiveFolder, Person, Week,
    archive::{FileReader, Row},
};

/// Until when what is known of whom is to go.
type Erased = HashMap<Uuid, Wall>;

/// The job of cleaning the archive, under a lease.
pub(super) struct Cleaning<'a> {
    pub(super) store: &'a dyn Person,
    pub(super) lease: &'a Lease<'a>,
    pub(super) archive: &'a Path,
}

/// What was done to a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cleaned {
    removed: u64,
    changed: u64,
}

impl Cleaning<'_> {
    /// Cleans all files, all erasures at once. They are closed only where every file could be cleaned.
    pub(super) async fn clean(&self) -> Result<Report, JobError> {
        let open = self.store.open_erasures().await?;
        let mut erased = Erased::new();
        for erasure in &open {
            let at = erased.entry(erasure.user.0).or_insert(erasure.at);
            *at = (*at).max(erasure.at);
        }
        let (mut files, mut total) = (0, Cleaned::default());
        if !open.is_empty() && ArchiveFolder::id_of(self.archive)?.is_some() {
            (files, total) = self.clean_files(Arc::new(erased)).await?;
        }
        for erasure in &open {
            self.lease.step(self.store.close_erasure(*erasure)).await?;
        }
        let Cleaned { removed, changed } = total;
        Ok(Report::Erasures { erasures: open.len() as u64, files, removed, changed })
    }

    /// How many files had to be changed, and what was done to them.
    async fn clean_files(&self, erased: Arc<Erased>) -> Result<(u64, Cleaned), JobError> {
        let path = self.archive.to_owned();
        let folder = self.lease.blocking(move || ArchiveFolder::open(&path).map(Arc::new)).await?;
        let (mut files, mut total, mut failed) = (0, Cleaned::default(), Vec::new());
        for week in folder.weeks()? {
            self.lease.keep().await?;
            let (folder, erased) = (folder.clone(), erased.clone());
            match self.lease.blocking(move || clean_file(&folder, week, &erased)).await {
                Ok(done) => {
                    files += u64::from(done != Cleaned::default());
                    total.removed += done.removed;
                    total.changed += done.changed;
                }
                Err(JobError::Archive(error)) => failed.push(error),
                Err(error) => return Err(error),
            }
        }
        if failed.is_empty() { Ok((files, total)) } else { Err(JobError::NotCleaned(failed)) }
    }
}

/// Reads a file, and writes it anew where somebody is in it who was erased.
fn clean_file(folder: &ArchiveFolder, week: Week, erased: &Erased) -> Result<Cleaned, ArchiveError> {
    if erased.values().all(|at| *at < week.start()) {
        return Ok(Cleaned::default());
    }
    let found = each(folder.read(week)?, erased, |_| Ok(()))?;
    if found == Cleaned::default() {
        return Ok(found);
    }
    let mut writer = folder.begin(week)?;
    each(folder.read(week)?, erased, |row| writer.push(row))?;
    folder.publish(week, writer)?;
    Ok(found)
}

/// Shows each row that is to stay, as it is to stay.
fn each(
    file: Option<FileReader>,
    erased: &Erased,
    mut keep: impl FnMut(&Row) -> Result<(), ArchiveError>,
) -> Result<Cleaned, ArchiveError> {
    let mut cleaned = Cleaned::default();
    let Some(mut file) = file else { return Ok(cleaned) };
    while let Some(mut row) = file.next_row()? {
        let at = row.at;
        let is_erased = |id: &Uuid| erased.get(id).is_some_and(|until| at <= *until);
        if is_erased(&row.user.0) {
            cleaned.removed += 1;
            continue;
        }
        if let Some(text) = without(&row.text, is_erased) {
            row.text = text;
            cleaned.changed += 1;
        }
        keep(&row)?;
    }
    Ok(cleaned)
}

/// The text with noughts in the place of every id, in whatever spelling, that `is_erased`; `None`: there is none.
fn without(text: &str, is_erased: impl Fn(&Uuid) -> bool) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let (mut digits, mut found) = (0, false);
    for end in 1..=text.len() {
        digits = if bytes[end - 1].is_ascii_hexdigit() { digits + 1 } else { 0 };
        let length = if digits >= 32 { 32 } else { 36 };
        let Some(start) = end.checked_sub(length) else { continue };
        // An id ends with 12 digits behind its last hyphen; only then it is worth a closer look.
        let is_candidate = digits >= 32 || (digits >= 12 && bytes[end - 13] == b'-');
        let id = is_candidate.then(|| Uuid::try_parse_ascii(&bytes[start..end]).ok()).flatten();
        if id.as_ref().is_some_and(&is_erased) {
            bytes[start..end].iter_mut().filter(|byte| **byte != b'-').for_each(|byte| *byte = b'0');
            found = true;
        }
    }
    found.then(|| String::from_utf8(bytes).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6f9b1f8e-0000-4000-8000-00000000abcd";
    const NOUGHT: &str = "00000000-0000-0000-0000-000000000000";

    #[test]
    fn an_id_is_replaced_in_every_spelling_and_nothing_else_is() {
        let erased: Uuid = ID.parse().unwrap();
        let replaced = |text: &str| without(text, |id| *id == erased);
        let simple = erased.simple().to_string();
        let table = [
            (format!("/users/{ID}/{ID}?"), format!("/users/{NOUGHT}/{NOUGHT}?")),
            (ID.to_uppercase(), NOUGHT.to_owned()),
            (format!("ab{ID}"), format!("ab{NOUGHT}")),
            (format!("{ID}ab"), format!("{NOUGHT}ab")),
            (format!("ü{simple}ü"), format!("ü{}ü", "0".repeat(32))),
            (format!("ff{simple}ff"), format!("ff{}ff", "0".repeat(32))),
        ];
        for (text, expected) in table {
            assert_eq!(replaced(&text).as_deref(), Some(expected.as_str()), "{text}");
        }
        for text in ["", "ü", &ID[1..], &ID.replace("abcd", "abce"), "-6f9b1f8e-0000", &"0".repeat(40)] {
            assert_eq!(replaced(text), None, "{text}");
        }
    }
}
