//! Old weeks of the activity log become files; only what was read back from its file is dropped.

use std::sync::Arc;

use model::Wall;
use uuid::Uuid;

use super::{ArchivedWeek, JobError, JobOptions, LeftWeek, Report, lease::Lease, totals::Totals};
use crate::{
    ArchiveError, ArchiveFolder, BATCH_ROWS, Store, Week,
    archive::{Merge, Row},
};

/// The job of archiving, under a lease.
pub(super) struct Archiving<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) lease: &'a Lease<'a>,
    pub(super) folder: Arc<ArchiveFolder>,
    pub(super) options: &'a JobOptions,
    pub(super) now: Wall,
}

impl Archiving<'_> {
    /// Archives all weeks that are old enough. `known` is the folder that the store takes for the archive.
    pub(super) async fn archive(&self, known: Option<Uuid>) -> Result<Report, JobError> {
        if known != Some(self.folder.id()) {
            // Before the first file: from then on no other folder is taken for the archive.
            self.lease.leave(&self.report(Vec::new(), Vec::new())).await?;
        }
        let before = Wall(self.now.0 - self.options.archive_after_ms);
        let restored_before = Wall(self.now.0 - self.options.restored_for_ms);
        let (mut weeks, mut left) = (Vec::new(), Vec::new());
        for week in self.lease.step(self.store.old_weeks(before, restored_before)).await? {
            // A store that is away does not come back for the next week.
            self.lease.keep().await?;
            match self.archive_week(week).await {
                Ok(Some(archived)) => weeks.push(archived),
                Ok(None) => left.push(differs(week)),
                Err(error) if concerns_one_week(&error) => {
                    left.push(LeftWeek { week: week.to_string(), reason: error.to_string() });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.report(weeks, left))
    }

    fn report(&self, weeks: Vec<ArchivedWeek>, left: Vec<LeftWeek>) -> Report {
        Report::Archive { archive_id: self.folder.id(), weeks, left }
    }

    /// `None`: the database has another number of rows than were written.
    async fn archive_week(&self, week: Week) -> Result<Option<ArchivedWeek>, JobError> {
        let older = self.rows_in_file(week).await?;
        // What is not added up before the rows are out of the log never will be.
        Totals { store: self.store, lease: self.lease, now: self.now }.roll_up().await?;
        self.lease.step(self.store.set_week_aside(week)).await?;
        let (merge, rows) = self.copy(week).await?;
        let folder = self.folder.clone();
        let in_file = self.lease.blocking(move || match rows {
            0 => folder.discard(week).map(|()| older),
            _ => folder.publish(week, merge.finish()?).map(|sum| sum.rows),
        });
        let in_file = in_file.await?;
        let dropped = self.lease.step(self.store.drop_week(week, rows)).await?;
        Ok(dropped.then(|| ArchivedWeek { week: week.to_string(), rows, in_file }))
    }

    /// Rows of the week that were archived before, all of which can be read.
    async fn rows_in_file(&self, week: Week) -> Result<u64, JobError> {
        let folder = self.folder.clone();
        let read = move || folder.read(week)?.map_or(Ok(0), |file| file.sum().map(|sum| sum.rows));
        self.lease.blocking(read).await
    }

    /// Writes the rows of the database together with those of an older file; how many the database had.
    async fn copy(&self, week: Week) -> Result<(Merge, u64), JobError> {
        let folder = self.folder.clone();
        let begin = move || Merge::new(folder.begin(week)?, folder.read(week)?);
        let mut merge = self.lease.blocking(begin).await?;
        let (mut after, mut rows) = (None, 0);
        loop {
            let page = self.lease.step(self.store.week_rows(week, after, BATCH_ROWS)).await?;
            if page.is_empty() {
                return Ok((merge, rows));
            }
            rows += page.len() as u64;
            (merge, after) = self.lease.blocking(move || put(merge, page)).await?;
        }
    }
}

/// The last row's id comes back, for the page after it.
fn put(mut merge: Merge, page: Vec<String>) -> Result<(Merge, Option<Uuid>), ArchiveError> {
    let mut last = None;
    for text in page {
        let row = Row::parse(text).map_err(|reason| merge.unfit(reason))?;
        merge.push(&row)?;
        last = Some(row.id);
    }
    Ok((merge, last))
}

fn differs(week: Week) -> LeftWeek {
    let reason = "the database has another number of rows than were read; tried again next time";
    LeftWeek { week: week.to_string(), reason: reason.to_owned() }
}

/// Whether perhaps only this week is concerned, in which somebody reads for hours, or whose file is damaged: its rows stay
/// in the database, and the others go on.
fn concerns_one_week(error: &JobError) -> bool {
    use ArchiveError::{Damaged, Differs, Unfit};
    match error {
        JobError::Archive(error) => matches!(error, Damaged { .. } | Differs { .. } | Unfit { .. }),
        JobError::Store(_) => true,
        _ => false,
    }
}
