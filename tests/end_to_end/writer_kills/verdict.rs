//! What clients were told, held against what is stored.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{
    diary::{Diary, End, Entry, Life, Moment},
    kept::{Kept, Stretch},
};

/// A sign of life moves last-seen and stretches where the one before it is older: `presence.last_seen_note_ms`.
const NOTED_EVERY_MS: i64 = 1_000;
/// By so much the clocks of two processes of one machine may seem to differ.
pub(crate) const CLOCKS_MS: i64 = 50;
/// Of what is wrong, so much is told.
const TOLD: usize = 12;

/// All that was found.
#[derive(Default)]
pub(crate) struct Verdict {
    /// What must not be.
    wrong: Vec<String>,
    told: usize,
    acknowledged: usize,
    stored: usize,
    unacknowledged_and_stored: usize,
    /// Acknowledged, not stored, of a hub that was killed.
    missing: usize,
    /// Of these, how long the oldest was acknowledged before the kill.
    oldest_missing: Duration,
    /// Of what was acknowledged and is stored, how long the youngest was acknowledged before the kill.
    youngest_kept: Option<Duration>,
    /// How far last-seen is behind the last sign of life before a kill, at most.
    oldest_last_seen: Duration,
    /// Whose last-seen is just the time of the sign-out.
    exact_last_seen: usize,
    stretches: usize,
    open_stretches: usize,
    greatest_stall: Duration,
    killed: usize,
    terminated: usize,
}

impl Verdict {
    /// On all that the clients wrote down, over hubs that all ended.
    pub(crate) fn on(diaries: &[Diary], kept: &[Kept], lives: &[Life]) -> Self {
        let mut verdict = Self::default();
        for life in lives {
            verdict.greatest_stall = verdict.greatest_stall.max(life.stalled);
            match life.end {
                End::Killed => verdict.killed += 1,
                End::Terminated => verdict.terminated += 1,
            }
        }
        for (diary, kept) in diaries.iter().zip(kept) {
            verdict.on_pages(diary, kept, lives);
            verdict.on_others(diary, kept);
            verdict.on_last_seen(diary, kept, lives);
            verdict.on_ends(diary, kept, lives);
            verdict.on_stretches(diary, kept);
        }
        verdict
    }

    fn check(&mut self, right: bool, what: impl FnOnce() -> String) {
        if !right {
            self.wrong.push(what());
        }
    }

    /// Nothing twice, nothing that was never told, and nothing missing that is promised.
    fn on_pages(&mut self, diary: &Diary, kept: &Kept, lives: &[Life]) {
        for (id, times) in kept.ids.iter().filter(|(_, times)| **times != 1) {
            self.check(false, || format!("{times} rows with the id {id}"));
        }
        let mut found = kept.pages.clone();
        for (n, entry) in diary.pages.iter().enumerate() {
            let page = diary.page(n);
            let times = found.remove(&page).unwrap_or(0);
            self.check(times <= 1, || format!("{page} is there {times} times"));
            self.told += 1;
            self.stored += times;
            match entry.answered {
                Some(answered) => self.on_acknowledged(&page, answered, &lives[entry.life], times > 0),
                None => self.unacknowledged_and_stored += times,
            }
        }
        self.check(found.is_empty(), || format!("nobody told {found:?}"));
    }

    fn on_acknowledged(&mut self, page: &str, answered: Moment, life: &Life, is_stored: bool) {
        self.acknowledged += 1;
        let age = life.age(answered);
        match (is_stored, life.end) {
            (false, End::Killed) => {
                self.missing += 1;
                self.oldest_missing = self.oldest_missing.max(age);
            }
            (true, End::Killed) => {
                self.youngest_kept = Some(self.youngest_kept.map_or(age, |youngest| youngest.min(age)));
            }
            (_, End::Terminated) => {}
        }
        self.check(is_stored || !life.keeps(answered), || {
            format!("{page} is missing, acknowledged {age:?} before the end of {life:?}")
        });
    }

    /// Rows without a page are the hub's own.
    fn on_others(&mut self, diary: &Diary, kept: &Kept) {
        let own = |kind: &&String| ["status_update", "session_end"].contains(&kind.as_str());
        let foreign: Vec<_> = kept.others.iter().filter(|kind| !own(kind)).collect();
        self.check(foreign.is_empty(), || format!("nobody told {foreign:?} of {:?}", diary.user));
    }

    /// Last-seen, and what is known of a session, reach to the last sign of life that had to outlive its hub.
    fn on_last_seen(&mut self, diary: &Diary, kept: &Kept, lives: &[Life]) {
        let Some(last) = diary.signs.last() else { return };
        let kept_for_good = |sign: &&Entry| sign.answered.is_some_and(|at| lives[sign.life].keeps(at));
        let floor = diary.signs.iter().rfind(kept_for_good);
        let floor = floor.map_or(i64::MIN, |sign| sign.told.wall - NOTED_EVERY_MS - CLOCKS_MS);
        let seen = kept.last_seen.unwrap_or(i64::MIN);
        self.check(seen >= floor, || format!("{:?} was seen at {seen}, not at {floor}", diary.user));
        let reach = kept.stretches.iter().map(|stretch| stretch.seen).max().unwrap_or(i64::MIN);
        self.check(reach >= floor, || format!("sessions of {:?} end at {reach}, not at {floor}", diary.user));
        let is_of_one_hub = diary.signs.first().is_some_and(|first| first.life == last.life);
        let end = lives[if is_of_one_hub { last.life } else { lives.len() - 1 }].gone.wall + CLOCKS_MS;
        self.check(seen.max(reach) <= end, || {
            format!("{:?} was gone at {end}, and seen at {seen} or {reach}", diary.user)
        });
        self.on_sign_out(diary, last, seen, lives);
        if lives[last.life].end == End::Killed && kept.last_seen.is_some() {
            let behind = Duration::from_millis(u64::try_from(last.told.wall - seen).unwrap_or(0));
            self.oldest_last_seen = self.oldest_last_seen.max(behind);
        }
    }

    /// Who did nothing after an end that had to outlive its hub was seen last just then.
    fn on_sign_out(&mut self, diary: &Diary, last: &Entry, seen: i64, lives: &[Life]) {
        let is_end = diary.ends.last().is_some_and(|end| end.told.at == last.told.at);
        let Some(answered) = last.answered.filter(|at| is_end && lives[last.life].keeps(*at)) else { return };
        let at = last.told.wall - CLOCKS_MS..=answered.wall + CLOCKS_MS;
        self.exact_last_seen += 1;
        self.check(at.contains(&seen), || format!("{:?} was seen last at {at:?}, not at {seen}", diary.user));
    }

    /// What was ended, and had to outlive its hub, ended then.
    fn on_ends(&mut self, diary: &Diary, kept: &Kept, lives: &[Life]) {
        for end in &diary.ends {
            let Some(answered) = end.answered.filter(|at| lives[end.life].keeps(*at)) else { continue };
            let at = end.told.wall - CLOCKS_MS..=answered.wall + CLOCKS_MS;
            let is_it = |stretch: &&Stretch| stretch.ended && at.contains(&stretch.seen);
            let found = kept.stretches.iter().filter(is_it).count();
            self.check(found >= 1, || format!("{found} sessions of {:?} ended at {at:?}", diary.user));
        }
    }

    /// None overlaps another one of its session.
    fn on_stretches(&mut self, diary: &Diary, kept: &Kept) {
        let mut sessions: BTreeMap<_, Vec<&Stretch>> = BTreeMap::new();
        for stretch in &kept.stretches {
            self.stretches += 1;
            self.open_stretches += usize::from(!stretch.ended);
            sessions.entry(&stretch.of).or_default().push(stretch);
        }
        for stretches in sessions.values_mut() {
            stretches.sort_by_key(|stretch| stretch.started);
            for pair in stretches.windows(2) {
                self.check(pair[0].seen <= pair[1].started, || {
                    format!("{pair:?} of {:?} overlap", diary.user)
                });
            }
        }
    }

    /// # Panics
    /// Where something is wrong.
    pub(crate) fn holds(&self) {
        let told: Vec<_> = self.wrong.iter().take(TOLD).collect();
        assert!(told.is_empty(), "{} things are wrong, such as {told:#?}\n{self}", self.wrong.len());
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_millis();
        write!(
            f,
            "{} hubs killed, {} terminated; {} pages told, {} acknowledged, {} stored ({} of them never \
             acknowledged), none twice; {} acknowledged and gone with a killed hub, the oldest {} ms before the kill \
             (the youngest that stayed: {} ms); last-seen at most {} ms behind, {} times \
             exact; {} stretches of sessions, {} open; \
             the machine stood still for at most {} ms before an end",
            self.killed,
            self.terminated,
            self.told,
            self.acknowledged,
            self.stored,
            self.unacknowledged_and_stored,
            self.missing,
            ms(self.oldest_missing),
            self.youngest_kept.map_or(0, ms),
            ms(self.oldest_last_seen),
            self.exact_last_seen,
            self.stretches,
            self.open_stretches,
            ms(self.greatest_stall),
        )
    }
}
