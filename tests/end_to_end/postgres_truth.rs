//! What the platform's back-end changes behind the hub's back, by plain SQL, reaches live views by itself.
//!
//! `RELATION_ROUNDS=1000 cargo test -p server --test end_to_end postgres_truth -- --nocapture` measures at length, and
//! holds every single removal to the second that is promised. It wants a machine that does nothing else.

mod rounds;

use std::sync::Arc;

use model::{SettingsPatch, Status, Visibility};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use crate::fixture::{Postgres, Tab, World, id_of, online, token};

/// People on a hub of their own, and the database under it.
async fn world() -> (Postgres, World) {
    let postgres = Postgres::shared();
    let hub = Arc::new(postgres.launch().start());
    (postgres, World::on(hub).await)
}

fn end_collaboration(world: &World, supplier: model::UserId) -> String {
    let wedding = id_of(world.wedding_a);
    format!(
        "DELETE FROM wedding_collaborations WHERE wedding_id = '{wedding}' AND supplier_id = '{supplier}'"
    )
}

fn begin_collaboration(world: &World, supplier: model::UserId) -> String {
    let (wedding, client) = (id_of(world.wedding_a), world.anna);
    format!("INSERT INTO wedding_collaborations VALUES ('{wedding}', '{supplier}', '{client}', 'supplier')")
}

/// Somebody who sees all of these in the wedding.
async fn onlooker(world: &World, subjects: &[model::UserId]) -> Tab {
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    for subject in subjects {
        anna.sees(world.wedding_a, *subject, Status::Online).await;
    }
    anna
}

#[tokio::test]
async fn a_collaboration_that_comes_and_goes() {
    let (postgres, world) = world().await;
    let mut finn = world.enter_present(world.finn).await;
    finn.watch(world.wedding_a).await;
    let mut anna = onlooker(&world, &[world.finn]).await;
    postgres.sql(&end_collaboration(&world, world.finn));
    anna.loses(world.wedding_a, world.finn).await;
    finn.until("the end of the view", |tab| tab.replica.list(world.wedding_a).is_none()).await;
    postgres.sql(&begin_collaboration(&world, world.finn));
    anna.sees(world.wedding_a, world.finn, Status::Online).await;
    finn.watch(world.wedding_a).await;
}

#[tokio::test]
async fn a_membership_that_comes_and_goes() {
    let (postgres, world) = world().await;
    let team = SettingsPatch { visibility: Some(Visibility::Team), ..SettingsPatch::default() };
    world.set(world.finn, team).await;
    let _finn = world.enter_present(world.finn).await;
    let mut olga = world.enter(world.olga).await;
    olga.watch(world.agency).await;
    olga.sees(world.agency, world.finn, Status::Online).await;
    let (agency, finn) = (id_of(world.agency), world.finn);
    postgres.sql(&format!("DELETE FROM user_organizations WHERE user_id = '{finn}'"));
    olga.loses(world.agency, world.finn).await;
    postgres.sql(&format!("INSERT INTO user_organizations VALUES ('{finn}', '{agency}', 'admin')"));
    olga.sees(world.agency, world.finn, Status::Online).await;
}

#[tokio::test]
async fn settings_that_are_written_as_a_row() {
    let (postgres, world) = world().await;
    let mut finn = world.enter_present(world.finn).await;
    let mut anna = onlooker(&world, &[world.finn]).await;
    postgres.sql(&format!(
        "INSERT INTO presence_settings (user_id, visibility, show_activity, show_current_page, appear_offline, updated_at) \
         VALUES ('{}', 'nobody', true, false, false, now())",
        world.finn
    ));
    anna.loses(world.wedding_a, world.finn).await;
    let visibility = |tab: &Tab| tab.replica.settings().map(|settings| settings.visibility);
    finn.until("the own settings", |tab| visibility(tab) == Some(Visibility::Nobody)).await;
    postgres.sql("UPDATE presence_settings SET visibility = 'contacts'");
    anna.sees(world.wedding_a, world.finn, Status::Online).await;
    postgres.sql("UPDATE presence_settings SET appear_offline = true");
    anna.loses(world.wedding_a, world.finn).await;
    // Nobody ever chose anything: what the installation has as its default.
    postgres.sql("DELETE FROM presence_settings");
    anna.sees(world.wedding_a, world.finn, Status::Online).await;
}

#[tokio::test]
async fn a_user_who_is_disabled_or_deleted_is_signed_out() {
    for change in ["UPDATE users SET disabled = true WHERE id =", "DELETE FROM users WHERE id ="] {
        let (postgres, world) = world().await;
        let mut finn = world.enter_present(world.finn).await;
        let mut anna = onlooker(&world, &[world.finn]).await;
        postgres.sql(&format!("{change} '{}'", world.finn));
        anna.loses(world.wedding_a, world.finn).await;
        assert_eq!(finn.end().await.code, Some(4301), "{change}");
        let refused = world.try_enter(model::Encoding::Json, token(world.finn)).await;
        assert!(refused.is_err(), "{change}");
    }
}

/// A table emptied without a word about any of its rows.
#[tokio::test]
async fn a_table_that_is_truncated() {
    let (postgres, world) = world().await;
    let _finn = world.enter_present(world.finn).await;
    let mut vera = world.enter(world.vera).await;
    vera.watch(world.agency).await;
    vera.sees(world.agency, world.finn, Status::Online).await;
    let mut anna = onlooker(&world, &[world.finn]).await;
    postgres.sql("TRUNCATE wedding_collaborations");
    vera.loses(world.agency, world.finn).await;
    anna.until("the end of the view", |tab| tab.replica.list(world.wedding_a).is_none()).await;
    // Not even that the list of changes itself is lost keeps anything back.
    let again = begin_collaboration(&world, world.finn);
    let vera_too = begin_collaboration(&world, world.vera);
    postgres.sql(&format!("BEGIN; {again}; {vera_too}; TRUNCATE presence_changes; COMMIT"));
    vera.sees(world.agency, world.finn, Status::Online).await;
}

/// The change that was made first becomes visible last: whoever only remembers the highest number passes it over.
#[tokio::test]
async fn a_transaction_that_began_before_others_and_ended_after_them() {
    let (postgres, world) = world().await;
    let _present = [world.enter_present(world.rosa).await, world.enter_present(world.vera).await];
    let mut anna = onlooker(&world, &[world.rosa, world.vera]).await;
    let mut slow = postgres.session();
    slow.run("BEGIN").unwrap();
    slow.run(&end_collaboration(&world, world.rosa)).unwrap();
    for _ in 0..3 {
        postgres.sql(&end_collaboration(&world, world.vera));
        anna.loses(world.wedding_a, world.vera).await;
        postgres.sql(&begin_collaboration(&world, world.vera));
        anna.sees(world.wedding_a, world.vera, Status::Online).await;
    }
    assert!(anna.shown(world.wedding_a, world.rosa).is_some(), "not committed, so not true yet");
    slow.run("COMMIT").unwrap();
    anna.loses(world.wedding_a, world.rosa).await;
    // And one that is rolled back was never there.
    slow.run("BEGIN").unwrap();
    slow.run(&end_collaboration(&world, world.vera)).unwrap();
    slow.run("ROLLBACK").unwrap();
    postgres.sql(&begin_collaboration(&world, world.rosa));
    anna.sees(world.wedding_a, world.rosa, Status::Online).await;
    assert!(anna.shown(world.wedding_a, world.vera).is_some());
}

#[tokio::test]
async fn a_second_hub_shows_what_was_changed_on_the_first() {
    let (postgres, first) = world().await;
    let second = first.beside(Arc::new(postgres.launch().start()));
    let mut here = first.enter_present(first.finn).await;
    let mut there = second.enter_present(second.finn).await;
    let mut anna = onlooker(&second, &[second.finn]).await;
    let visible_to = |visibility| SettingsPatch { visibility: Some(visibility), ..SettingsPatch::default() };
    first.set(first.finn, visible_to(Visibility::Nobody)).await;
    anna.loses(second.wedding_a, second.finn).await;
    here.set(visible_to(Visibility::Everyone)).await;
    anna.sees(second.wedding_a, second.finn, Status::Online).await;
    let visibility = |tab: &Tab| tab.replica.settings().map(|settings| settings.visibility);
    there.until("the own settings", |tab| visibility(tab) == Some(Visibility::Everyone)).await;
    // What the back-end says to one hub is said to both.
    let path = format!("/weddings/{}/collaborations/{}/{}", id_of(first.wedding_a), first.finn, first.anna);
    first.delete(&path).await;
    anna.loses(second.wedding_a, second.finn).await;
    there.track(online()).await;
}

#[tokio::test]
async fn an_operation_has_one_result_on_all_hubs() {
    let (postgres, first) = world().await;
    let second = first.beside(Arc::new(postgres.launch().start()));
    let operation = Uuid::new_v4();
    let put = async |world: &World, text: &str, operation: Uuid| {
        let patch = SettingsPatch { custom_status: Some(text.to_owned()), ..SettingsPatch::default() };
        let request = world.settings(Method::PUT, world.finn).json(&patch);
        let answer = request.header("Idempotency-Key", operation.to_string()).send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    let (status, result) = put(&first, "first", operation).await;
    assert_eq!((status, &result["settings"]["customStatus"]), (StatusCode::OK, &"first".into()));
    assert_eq!(put(&first, "second", Uuid::new_v4()).await.0, StatusCode::OK);
    assert_eq!(put(&second, "first", operation).await, (StatusCode::OK, result));
    let (status, refusal) = put(&second, "other", operation).await;
    assert_eq!((status, &refusal["code"]), (StatusCode::CONFLICT, &"operation_conflict".into()));
    let history =
        "SELECT after_json::jsonb ->> 'customStatus' FROM presence_audit WHERE kind = 'settings' ORDER BY id";
    assert_eq!(postgres.sql(history), "first\nsecond");
}
