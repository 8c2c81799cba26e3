//! Archived weeks come back into the log. Their files stay: archived again, they are merged.

use std::sync::Arc;

use model::Wall;

use super::{JobError, Report, RestoredWeek, lease::Lease};
use crate::{Archive, ArchiveError, ArchiveFolder, BATCH_ROWS, Week, Written, archive::FileReader};

/// The job of bringing weeks back, under a lease.
pub(super) struct Restoring<'a> {
    pub(super) store: &'a dyn Archive,
    pub(super) lease: &'a Lease<'a>,
    pub(super) folder: Arc<ArchiveFolder>,
    pub(super) now: Wall,
}

impl Restoring<'_> {
    /// Restores `weeks`, or all that are archived where none is named.
    pub(super) async fn restore(&self, weeks: &[Week]) -> Result<Report, JobError> {
        let archived = self.folder.weeks()?;
        if let Some(week) = weeks.iter().copied().find(|week| !archived.contains(week)) {
            let known = archived.iter().map(Week::to_string).collect::<Vec<_>>().join(", ");
            return Err(JobError::NotArchived { week, known });
        }
        let mut restored = Vec::new();
        for week in if weeks.is_empty() { &archived } else { weeks } {
            let Written { written, passed_over } = self.restore_week(*week).await?;
            restored.push(RestoredWeek { week: week.to_string(), written, passed_over });
        }
        Ok(Report::RestoreArchive { weeks: restored })
    }

    async fn restore_week(&self, week: Week) -> Result<Written, JobError> {
        // Read to its end first: of a damaged file nothing comes back, rather than a part.
        let folder = self.folder.clone();
        self.lease.blocking(move || folder.read(week)?.map(FileReader::sum).transpose()).await?;
        self.lease.step(self.store.restore_week(week, self.now)).await?;
        let folder = self.folder.clone();
        let mut file = self.lease.blocking(move || folder.read(week)).await?;
        let mut total = Written::default();
        while let Some(reader) = file {
            let (rows, rest) = self.lease.blocking(move || batch(reader)).await?;
            let done = self.lease.step(self.store.restore_rows(week, &rows)).await?;
            total.written += done.written;
            total.passed_over += done.passed_over;
            file = rest;
        }
        // Whoever was killed before this begins again, and ends it.
        self.lease.step(self.store.end_restoration(week)).await?;
        Ok(total)
    }
}

/// The next rows, and the file, where there is more of it.
fn batch(mut file: FileReader) -> Result<(Vec<String>, Option<FileReader>), ArchiveError> {
    let mut rows = Vec::new();
    while rows.len() < BATCH_ROWS {
        match file.next_row()? {
            Some(row) => rows.push(row.text),
            None => return Ok((rows, None)),
        }
    }
    Ok((rows, Some(file)))
}
