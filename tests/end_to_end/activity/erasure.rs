//! Erasure and export: all of a person, nothing of anybody else.

use model::Status;

use super::*;

/// Finn has been everywhere, and so has Vera.
async fn traces(office: &Office) {
    let world = &office.world;
    let custom = SettingsPatch { custom_status: Some("Finn's canary".into()), ..SettingsPatch::default() };
    world.set(world.finn, custom).await;
    for (user, page) in [(world.finn, "/canary"), (world.vera, "/vera")] {
        let mut tab = world.enter_present(user).await;
        say(&mut tab, viewed(page)).await.expect("taken");
        office.logged(user, page).await;
        tab.sign_out().await;
    }
}

/// What an export may still have of who was erased: the directory's facts, and that they are hidden.
fn only_facts_are_left(export: &Value) {
    for (part, rows) in export.as_object().expect("a document") {
        let kept = matches!(part.as_str(), "user" | "memberships" | "collaborations" | "settings" | "audit");
        if let (Some(rows), false) = (rows.as_array(), kept) {
            assert!(rows.is_empty(), "{part}: {rows:?}");
        }
    }
    assert_eq!(export["settings"][0]["visibility"], "nobody", "{export}");
    assert!(!export.to_string().contains("canary"), "{export}");
}

async fn erases_all_of_one_and_nothing_of_others(office: Office) {
    traces(&office).await;
    let world = &office.world;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let mut finn = world.enter_present(world.finn).await;
    anna.sees(world.wedding_a, world.finn, Status::Online).await;
    let before = office.export(world.vera).await;
    say(&mut finn, viewed("/just-now")).await.expect("taken, and not written yet");

    office.erase(world.finn).await;
    anna.ping().await;
    anna.loses(world.wedding_a, world.finn).await;
    assert_eq!(finn.end().await.code, Some(1000));
    only_facts_are_left(&office.export(world.finn).await);
    let after = office.export(world.vera).await;
    assert_eq!(after["activity"], before["activity"], "nobody else's rows");

    // He may come back, and is hidden until he says otherwise.
    let mut finn = world.enter_present(world.finn).await;
    say(&mut finn, viewed("/hidden")).await.expect("taken");
    anna.ping().await;
    assert!(anna.shown(world.wedding_a, world.finn).is_none());
    let shown = SettingsPatch {
        visibility: Some(Visibility::Contacts),
        show_activity: Some(true),
        ..Default::default()
    };
    world.set(world.finn, shown).await;
    anna.sees(world.wedding_a, world.finn, Status::Online).await;
    office.views(world.finn, "/new").await;
    assert_eq!(office.logged(world.finn, "/new").await, ["/new"], "nothing from before");
}

#[tokio::test]
async fn erasure_takes_all_of_one_and_nothing_of_others_with_sqlite() {
    erases_all_of_one_and_nothing_of_others(Office::embedded().await).await;
}

#[tokio::test]
async fn erasure_takes_all_of_one_and_nothing_of_others_with_postgres() {
    erases_all_of_one_and_nothing_of_others(Office::with_postgres().await).await;
}

/// What a person did and wrote is in no file any more, not even where the database file keeps what it has deleted.
#[tokio::test]
async fn what_is_erased_is_in_no_file() {
    let office = Office::embedded().await;
    traces(&office).await;
    let home = office.launch.home().clone();
    assert!(!found_under(&home.path(""), b"canary").is_empty(), "the search finds it");
    office.erase(office.world.finn).await;
    let expired =
        home.run(&["jobs", "run", "expire", "--set", &format!("listen.port={}", office.world.hub.port())]);
    assert!(expired.status.success(), "{}", String::from_utf8_lossy(&expired.stderr));
    office.world.hub.terminate();
    assert!(office.world.hub.ended().await.success());
    let found = found_under(&home.path(""), b"canary");
    assert!(found.is_empty(), "{found:?}");
}

/// With Postgres as text, table by table.
#[tokio::test]
async fn who_is_removed_is_in_no_table() {
    let office = Office::with_postgres().await;
    traces(&office).await;
    let finn = office.world.finn;
    let postgres = office.postgres.as_ref().expect("a database");
    let everywhere = "SELECT coalesce(string_agg(name, ', '), '') FROM (
        SELECT format('%s', c.oid::regclass) AS name,
            query_to_xml(format('SELECT * FROM %s', c.oid::regclass), false, true, '')::text AS rows
        FROM pg_class AS c WHERE c.relkind IN ('r', 'm') AND c.relnamespace = 'public'::regnamespace
          AND c.relname <> 'presence_changes'
    ) AS tables WHERE strpos(rows, 'ID') > 0";
    let search = |id: UserId| postgres.sql(&everywhere.replace("ID", &id.to_string()));
    assert_ne!(search(finn), "");
    office.world.delete(&format!("/users/{finn}")).await;
    // The archive is looked through before the last note of whose it was goes: by the hub within a minute, or by hand.
    eventually("the end of the erasure", async || {
        office.launch.home().run(&["jobs", "run", "erasures"]);
        search(finn).is_empty().then_some(())
    })
    .await;
    assert_ne!(search(office.world.vera), "", "the search finds ids");
}

/// The other hub signs him out, and writes nothing of what it knows of him; and nobody hears when he was there.
#[tokio::test]
async fn who_is_erased_on_one_hub_is_forgotten_by_the_other() {
    let office = Office::with_postgres().await;
    let postgres = office.postgres.clone().expect("a database");
    let launch = postgres.launch();
    let other = office.world.beside(Arc::new(launch.start()));
    let finn = other.finn;
    let mut tab = other.enter_present(finn).await;
    say(&mut tab, viewed("/canary")).await.expect("taken by the other hub");
    office.erase(finn).await;
    assert_eq!(tab.end().await.code, Some(1000));
    // Whatever it has not forgotten it writes now.
    other.hub.terminate();
    assert!(other.hub.ended().await.success());
    assert!(found_under(&launch.home().path(""), finn.to_string().as_bytes()).is_empty());
    only_facts_are_left(&office.export(finn).await);

    let world = &office.world;
    let shown = SettingsPatch { visibility: Some(Visibility::Contacts), ..Default::default() };
    world.set(finn, shown).await;
    let mut anna = world.enter(world.anna).await;
    anna.roster(world.wedding_a).await;
    let never = Some(&model::PersonState::Offline { last_seen: None });
    anna.until("finn in the roster", |tab| tab.shown(world.wedding_a, finn) == never).await;
}

/// Nothing is archived here, and nobody else cleans it: whoever waits is told that it is done.
#[tokio::test]
async fn an_erasure_says_that_the_archive_is_clean_too() {
    let office = Office::embedded().await;
    let mut people = [office.world.finn, office.world.vera, office.world.anna, office.world.rosa].into_iter();
    // A machine that stands still for seconds would have it done later.
    while !office.erase(people.next().expect("one of four is told so")).await {}
}

#[tokio::test]
async fn a_second_erasure_at_once_has_to_wait() {
    let office = Office::embedded().await;
    office.erase(office.world.finn).await;
    let again = office.call(Method::DELETE, "/me", office.world.finn).send();
    let refused = again.await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refused.headers()[RETRY_AFTER].to_str().unwrap().parse().expect("seconds");
    assert!((1..=10).contains(&wait), "{wait}");
}
