//! People who hide and show themselves by turns. What hid them and was acknowledged holds, whatever is killed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use model::{SettingsPatch, UserId};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

use super::{
    diary::{Diary, Step, Told},
    fleet::{ATTEMPTS, Caller, PAUSE},
};

/// How often hidden people look whether they are, by turns: some show themselves soon, some stay beyond a restart.
const LOOKS: [usize; 3] = [1, 3, 30];
/// How often they ask to be shown. Refused while there is no database, they soon hide again.
const SHOWINGS: [usize; 3] = [1, 1, 4];

/// Hiding, or the end of it.
pub(super) fn patch(hide: bool) -> SettingsPatch {
    SettingsPatch { appear_offline: Some(hide), ..SettingsPatch::default() }
}

/// Whether nobody else sees who has these settings. After a restart all that hides may be one veil for everything.
pub(super) fn hidden(settings: &Value) -> bool {
    settings["appearOffline"] == true || settings["visibility"] == "nobody"
}

/// Some who hide and show themselves.
pub(super) struct Hiders {
    over: Arc<AtomicBool>,
    running: Vec<JoinHandle<Diary>>,
}

impl Hiders {
    /// Starts them. They end with an acknowledged hiding, or with an acknowledged showing.
    pub(super) fn start(people: &[UserId], end_hidden: bool, address: &watch::Receiver<String>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let run = |user: &UserId| {
            let hub = Caller::new(address);
            let hider = Hider { diary: Diary::of(*user), hub, over: over.clone(), end_hidden };
            tokio::spawn(hider.run())
        };
        let running = people.iter().map(run).collect();
        Self { over, running }
    }

    /// Waits until each has ended as meant, and collects what they wrote down.
    pub(super) async fn end(self) -> Vec<Diary> {
        self.over.store(true, Ordering::Relaxed);
        let mut diaries = Vec::new();
        for hider in self.running {
            diaries.push(hider.await.expect("a hider who found nothing wrong"));
        }
        diaries
    }
}

struct Hider {
    diary: Diary,
    hub: Caller,
    over: Arc<AtomicBool>,
    end_hidden: bool,
}

impl Hider {
    async fn run(mut self) -> Diary {
        while !self.over.load(Ordering::Relaxed) {
            self.step().await;
        }
        // What hides last is to meet what goes on just now.
        self.step().await;
        while self.diary.end() != Some(self.end_hidden) {
            self.step().await;
        }
        self.diary
    }

    async fn step(&mut self) {
        let turn = self.diary.steps.len();
        let hide = turn.is_multiple_of(2);
        let mut step = Step { operation: Uuid::new_v4(), hide, told: Told::Nothing };
        let attempts = if hide { ATTEMPTS } else { SHOWINGS };
        self.take(&mut step, attempts[turn / 2 % attempts.len()]).await;
        if step.told == Told::InForce {
            self.ask_again(&step).await;
        }
        if hide && step.told != Told::Nothing {
            self.is_hidden(&step, LOOKS[turn / 6 % LOOKS.len()]).await;
        }
        self.diary.steps.push(step);
    }

    /// Asks until it is acknowledged, or given up.
    async fn take(&mut self, step: &mut Step, attempts: usize) {
        for _ in 0..attempts {
            match self.put(step.operation, step.hide).await {
                Some((StatusCode::OK, result)) => step.told = Told::Done(result),
                Some((StatusCode::ACCEPTED, _)) if step.hide => step.told = Told::InForce,
                Some((StatusCode::SERVICE_UNAVAILABLE, _)) | None => {}
                Some(other) => panic!("{other:?} to {step:?}"),
            }
            if step.told != Told::Nothing {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What is in force and not known to be stored stays that, and its name is taken.
    async fn ask_again(&mut self, step: &Step) {
        if let Some((status, body)) = self.put(step.operation, step.hide).await {
            assert!(
                [StatusCode::OK, StatusCode::ACCEPTED].contains(&status),
                "{status} {body} to {step:?} again"
            );
        }
        if let Some((status, body)) = self.put(step.operation, !step.hide).await {
            let refused = [StatusCode::CONFLICT, StatusCode::SERVICE_UNAVAILABLE];
            assert!(
                refused.contains(&status),
                "{status} {body} to something else under the name of {step:?}"
            );
        }
    }

    async fn put(&mut self, operation: Uuid, hide: bool) -> Option<(StatusCode, Value)> {
        self.hub.client().put(self.diary.user, operation, &patch(hide)).await
    }

    /// Looks at the own settings, again and again: whichever hub answers, before and after whichever kill.
    async fn is_hidden(&mut self, step: &Step, looks: usize) {
        for _ in 0..looks {
            if let Some(settings) = self.hub.client().settings_of(self.diary.user).await {
                assert!(hidden(&settings), "{settings} after {step:?} of {:?}", self.diary.user);
                self.diary.looks += 1;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
