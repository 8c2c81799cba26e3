//! The suite that every store passes: what [`Store`] promises, case by case. Test code: a broken promise panics.
//!
//! A store's tests name a function that makes an empty store with the default settings of `model`, and get one
//! test a case:
//!
//! ```text
//! async fn fixture() -> persistence::conformance::Fixture { … }
//! persistence::conformance_tests!(fixture);
//! ```

pub mod access_codes;
pub mod analytics;
pub mod archive;
pub mod audited;
pub mod behind;
mod clocked;
pub mod concurrency;
pub mod directory;
pub mod entries;
mod exported;
mod follower;
pub mod jobs;
pub mod last_seen;
pub mod named;
pub mod names;
pub mod occupancy;
pub mod person;
pub mod races;
pub mod rollups;
pub mod settings;
pub mod signs;
pub mod truth;

use std::{any::Any, sync::Arc};

use model::{
    AccountId, AccountState, DirectoryChange, OrganizationId, Plan, Role, Settings, SettingsPatch, UserFacts,
    UserId, Visibility, Wall, WeddingId,
};
use uuid::Uuid;

use crate::{Actor, LastSeen, OperationId, PAGE, Pick, SettingsChange, Store, StoreError};

/// An empty store, and what has to live as long as it.
pub struct Fixture {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Dropped after the store: a folder, a schema.
    pub keep: Box<dyn Any + Send>,
}

/// One test a case, each on a store of its own made by `$fixture`.
#[macro_export]
macro_rules! conformance_tests {
    ($fixture:path) => {
        $crate::conformance_tests! { @cases $fixture;
            settings: users_without_a_row_have_the_default,
                a_patch_changes_what_it_names, every_change_is_in_the_history, histories_are_apart,
                a_refused_change_leaves_nothing, changing_nothing_leaves_no_entry, histories_are_bounded,
                an_operation_is_done_once, another_body_is_a_conflict, operations_of_users_are_apart,
                operations_are_kept_a_day, what_comes_late_only_hides, a_tightening_is_a_change_like_others;
            directory: what_was_put_is_read, putting_again_replaces, changes_name_all_who_are_touched, a_plan_names_its_members,
                all_or_nothing, impossible_changes_are_named, names_are_cleaned,
                removing_what_is_not_there_does_nothing, a_removed_organization_takes_its_own_along,
                a_removed_wedding_touches_its_participants, a_removed_collaboration_ends_only_its_own_part,
                a_removed_user_takes_everything_along, who_is_created_again_is_new,
                too_many_changes_are_refused, no_changes_are_nothing;
            truth: an_empty_answer_moves_on, a_change_is_found_once, followers_are_apart,
                settings_name_their_user, what_was_not_done_names_nobody, last_seen_is_no_change,
                pages_cover_everybody_once, pages_go_on_after_who_is_gone, only_who_is_there_is_picked,
                many_accounts_are_everything;
            last_seen: last_seen_is_read, last_seen_never_goes_back, strangers_are_passed_over,
                the_erased_are_not_resurrected, an_empty_batch_is_nothing,
                a_note_replaces_the_one_before_whole, an_erasure_ends_what_was_noted_before;
            behind: activity_is_read_as_it_was_written, activity_is_written_once, strangers_rows_are_passed_over,
                rows_from_before_their_user_are_passed_over, rows_from_before_an_erasure_are_passed_over,
                times_without_a_place_are_passed_over, stretches_never_go_back, stretches_are_written_once,
                lost_stretches_end, the_removed_leave_no_row, a_removed_organization_takes_its_log_along,
                a_gap_is_marked_once, empty_batches_are_nothing, a_full_batch_is_written;
            rollups: quarters_have_their_parts, stretches_are_cut_at_the_quarters, late_rows_are_added,
                kept_and_rebuilt_ones_equal_the_rows, the_erased_are_in_no_total,
                weeks_set_aside_stay_as_they_are, a_restored_week_is_rolled_up_again,
                half_a_week_makes_no_totals, old_totals_are_dropped,
                slices_go_on_where_they_stopped;
            analytics: reports_equal_the_rows, small_groups_are_not_told_of, the_most_viewed_pages_are_told,
                the_erased_are_not_told_of, who_keeps_no_log_has_an_empty_report, active_now_is_of_the_last_minutes;
            archive: a_week_goes_and_comes_back, a_week_set_aside_takes_no_rows, only_what_was_set_aside_is_dropped,
                old_weeks_are_named, the_erased_do_not_come_back, what_is_no_row_is_corrupt;
            person: an_export_is_one_persons, pages_of_an_export_go_on, the_erased_are_nowhere,
                the_erased_begin_anew, of_the_erased_nothing_is_written, a_stranger_is_not_erased,
                erasures_are_open_until_the_archives_are_clean, what_was_left_goes_when_an_erasure_is_closed,
                a_client_does_not_learn_what_others_supply, an_export_has_the_hold_and_the_codes,
                the_erased_hold_nothing;
            occupancy: a_clock_in_holds_the_account, clocking_in_again_changes_nothing, an_account_is_one_holders,
                a_move_is_one_change, only_who_holds_moves, a_clock_out_ends_one_hold,
                an_account_is_cleared_by_force, accounts_of_others_are_unknown, the_directory_ends_holds,
                what_stays_is_held, the_disabled_keep_their_hold, epochs_always_rise;
            access_codes: a_code_is_what_was_asked_for, only_an_office_has_codes, a_member_has_so_many_codes,
                codes_are_listed_newest_first, a_code_has_so_many_uses, what_is_no_good_is_invalid,
                a_code_expires, a_code_is_revoked, old_codes_are_dropped;
            named: a_code_is_made_once, a_code_is_revoked_once, a_clock_in_is_done_once,
                a_clock_in_is_told_again_to_who_may_come, a_code_is_told_again_to_an_office,
                the_erased_are_told_of_to_nobody,
                a_move_is_made_once, a_clock_out_is_done_once, an_account_is_cleared_once,
                a_name_is_of_one_kind;
            names: a_person_knows_what_they_are_in, the_people_of_a_place_are_named,
                the_people_of_a_place_come_in_pages, the_accounts_of_an_organization_are_named;
            signs: signs_never_go_back, signs_of_what_is_over_are_passed_over, who_is_lost_is_marked,
                who_is_back_is_not_lost, a_late_sign_is_no_return, who_was_lost_unnoticed_is_back, who_is_lost_is_not_idle,
                who_does_nothing_is_clocked_out,
                the_disabled_do_not_come_back;
            races: of_many_one_gets_in, one_assistant_is_in_one_place, moves_in_a_circle_end,
                a_use_is_used_once, one_name_is_done_once, who_is_revoked_is_out, a_hold_ends_once;
            audited: an_organization_reads_what_concerns_it, a_back_end_is_told_from_its_user;
            entries: every_change_of_a_hold_has_its_entry, every_change_of_a_code_has_its_entry;
            jobs: a_job_is_one_holders, a_job_is_done_in_its_time, a_job_that_failed_is_free, jobs_tell_how_they_went,
                of_many_who_ask_one_gets_it;
            concurrency: concurrent_changes_are_a_chain, concurrent_calls_of_one_operation_are_one,
                a_follower_misses_nobody, dropped_calls_are_whole_or_nothing, dropped_directory_calls_are_whole_or_nothing,
                a_closed_store_is_unavailable;
        }
    };
    (@cases $fixture:path; $($module:ident: $($case:ident),+;)+) => {$(
        mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() {
                    let fixture: $crate::conformance::Fixture = $fixture().await;
                    $crate::conformance::$module::$case(fixture.store.clone()).await;
                    fixture.store.close().await;
                }
            )+
        }
    )+};
}

type Shared = Arc<dyn Store>;

/// When the tests' world begins.
const START: Wall = Wall(1_700_000_000_000);

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn organization(n: u128) -> OrganizationId {
    OrganizationId(Uuid::from_u128(1_000 + n))
}

fn wedding(n: u128) -> WeddingId {
    WeddingId(Uuid::from_u128(2_000 + n))
}

fn account(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(3_000 + n))
}

fn operation(n: u128) -> Option<OperationId> {
    Some(OperationId(Uuid::from_u128(4_000 + n)))
}

fn later(ms: i64) -> Wall {
    Wall(START.0 + ms)
}

fn put_user(n: u128) -> DirectoryChange {
    DirectoryChange::PutUser { id: user(n), display_name: format!("User {n}"), disabled: false }
}

fn put_organization(n: u128) -> DirectoryChange {
    DirectoryChange::PutOrganization {
        id: organization(n),
        name: format!("Agency {n}"),
        plan: Plan::Enterprise,
    }
}

fn put_member(in_organization: u128, n: u128, role: Role) -> DirectoryChange {
    DirectoryChange::PutMember { organization: organization(in_organization), user: user(n), role }
}

fn put_account(n: u128, of_organization: u128) -> DirectoryChange {
    DirectoryChange::PutAccount {
        id: account(n),
        organization: organization(of_organization),
        name: format!("Account {n}"),
    }
}

fn put_wedding(n: u128) -> DirectoryChange {
    DirectoryChange::PutWedding { id: wedding(n), name: format!("Wedding {n}") }
}

fn put_collaboration(at_wedding: u128, supplier: u128, client: u128) -> DirectoryChange {
    DirectoryChange::PutCollaboration {
        wedding: wedding(at_wedding),
        supplier: user(supplier),
        client: user(client),
        supplier_type: "photographer".into(),
    }
}

fn remove_user(n: u128) -> DirectoryChange {
    DirectoryChange::RemoveUser { id: user(n) }
}

async fn put(store: &Shared, changes: Vec<DirectoryChange>) {
    store.change_directory(changes, START, Actor::Service).await.expect("the change is possible");
}

/// Users 1 to 4; 1 (owner) and 2 in organization 1 with accounts 1 and 2, 3 in organization 2 with account 3;
/// wedding 1: supplier 1 for client 3, supplier 2 for client 3; wedding 2: supplier 2 for client 4.
async fn put_world(store: &Shared) {
    let mut changes: Vec<_> = (1..=4).map(put_user).collect();
    changes.extend([put_organization(1), put_organization(2)]);
    changes.extend([put_member(1, 1, Role::Owner), put_member(1, 2, Role::Member)]);
    changes.push(put_member(2, 3, Role::Admin));
    changes.extend([put_account(1, 1), put_account(2, 1), put_account(3, 2)]);
    changes.extend([put_wedding(1), put_wedding(2)]);
    changes.extend([put_collaboration(1, 1, 3), put_collaboration(1, 2, 3), put_collaboration(2, 2, 4)]);
    put(store, changes).await;
}

/// Everybody, in pages of at most `limit`.
async fn users_by(store: &Shared, limit: usize) -> Vec<(UserId, UserFacts)> {
    pages(limit, async |pick| store.users(pick).await).await
}

/// Every account, in pages of at most `limit`.
async fn accounts_by(store: &Shared, limit: usize) -> Vec<(AccountId, AccountState)> {
    pages(limit, async |pick| store.accounts(pick).await).await
}

async fn pages<Id: Copy + Ord, Facts>(
    limit: usize,
    read: impl AsyncFn(Pick<Id>) -> Result<Vec<(Id, Facts)>, StoreError>,
) -> Vec<(Id, Facts)> {
    let mut all: Vec<(Id, Facts)> = Vec::new();
    loop {
        let after = all.last().map(|(id, _)| *id);
        let page = read(Pick::Next(after, limit)).await.expect("the store can be read");
        assert!(page.len() <= limit, "{} in a page of {limit}", page.len());
        if page.is_empty() {
            return all;
        }
        all.extend(page);
        assert!(
            all.is_sorted_by(|one, next| one.0 < next.0),
            "a page is sorted and goes on after the last one"
        );
    }
}

/// All facts of the store.
async fn world(store: &Shared) -> (Vec<(UserId, UserFacts)>, Vec<(AccountId, AccountState)>) {
    (users_by(store, PAGE).await, accounts_by(store, PAGE).await)
}

async fn facts(store: &Shared, n: u128) -> Option<UserFacts> {
    let mut found = store.users(Pick::These(vec![user(n)])).await.expect("the store can be read");
    found.pop().map(|(id, facts)| {
        assert_eq!(id, user(n));
        facts
    })
}

async fn settings_of(store: &Shared, n: u128) -> Settings {
    facts(store, n).await.and_then(|facts| facts.settings).expect("settings are always read")
}

fn status(text: impl Into<String>) -> SettingsPatch {
    SettingsPatch { custom_status: Some(text.into()), ..SettingsPatch::default() }
}

fn change(n: u128, patch: SettingsPatch) -> SettingsChange {
    SettingsChange {
        user: user(n),
        by_back_end: false,
        patch,
        operation: None,
        at: START,
        tightens: false,
        belated: false,
    }
}

/// The user chooses to be seen and logged, now.
async fn be_seen(store: &Shared, n: u128) {
    let patch = SettingsPatch {
        visibility: Some(Visibility::Everyone),
        show_activity: Some(true),
        ..SettingsPatch::default()
    };
    store.change_settings(change(n, patch)).await.expect("the choice is possible");
}

fn noted(n: u128, at: Wall) -> LastSeen {
    LastSeen { user: user(n), at, page: None, device: None, activity: None, session_minutes: 0 }
}

async fn change_status(store: &Shared, n: u128, text: &str) -> Result<Settings, StoreError> {
    store.change_settings(change(n, status(text))).await
}

fn status_text(settings: &Settings) -> &str {
    settings.custom_status.as_ref().map_or("", |text| text.as_str())
}
