//! Without the database: what is in memory goes on, hiding works, and nothing else pretends to.

use std::{sync::Arc, time::Duration};

use client::Phase;
use model::{SettingsPatch, Status, Visibility};
use postgres_cluster::{Cluster, Options};
use reqwest::{Method, StatusCode, header::RETRY_AFTER};
use serde_json::{Value, json};

use crate::fixture::{Launch, Postgres, Tab, World, eventually, in_time, online, track};

/// A hub answers durable calls within 2 s whatever its database does. This is longer than anybody should wait.
const CLIENT_WAITS: Duration = Duration::from_secs(5);

/// A server of its own, a hub on it, and Finn before the eyes of Anna.
struct Scene {
    postgres: Postgres,
    launch: Launch,
    world: World,
    finn: Tab,
    anna: Tab,
}

fn visible_to(visibility: Visibility) -> SettingsPatch {
    SettingsPatch { visibility: Some(visibility), ..SettingsPatch::default() }
}

/// Waits until the hub says of itself that it is without its store, or that it is not.
async fn becomes(world: &World, degraded: bool) {
    let ask = async || {
        let url = format!("http://{}/readyz", world.hub.operations);
        let answer = world.http.get(url).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "it still serves clients");
        let body: Value = answer.json().await.expect("JSON");
        let named = body["degraded"].as_array().expect("a list");
        let as_expected = if degraded { named.contains(&json!("store")) } else { named.is_empty() };
        as_expected.then_some(())
    };
    eventually(if degraded { "degraded" } else { "whole again" }, ask).await;
}

/// Who may see Finn, in his own words.
async fn chosen_by_finn(world: &World) -> Value {
    let answer = world.settings(Method::GET, world.finn).send().await.expect("an answer");
    answer.json::<Value>().await.expect("JSON")["settings"]["visibility"].take()
}

impl Scene {
    async fn new() -> Self {
        let postgres = Postgres::on(&Arc::new(Cluster::start(Options::default())));
        let launch = postgres.launch().set("store.stale_after_s", 2);
        let world = World::on(Arc::new(launch.start())).await;
        let finn = world.enter_present(world.finn).await;
        let mut anna = world.enter(world.anna).await;
        anna.watch(world.wedding_a).await;
        anna.sees(world.wedding_a, world.finn, Status::Online).await;
        Self { postgres, launch, world, finn, anna }
    }

    /// Changes go on, people come, and settings are read.
    async fn presence_goes_on(&mut self) {
        let world = &self.world;
        for status in [Status::Busy, Status::Away, Status::Busy] {
            self.finn.track(track(status)).await;
            self.anna.sees(world.wedding_a, world.finn, status).await;
        }
        let mut vera = world.enter_present(world.vera).await;
        vera.watch(world.wedding_a).await;
        vera.sees(world.wedding_a, world.finn, Status::Busy).await;
        self.anna.sees(world.wedding_a, world.vera, Status::Online).await;
        let answer = world.settings(Method::GET, world.finn).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        vera.sign_out().await;
        self.anna.loses(world.wedding_a, world.vera).await;
    }

    async fn put(&self, user: model::UserId, patch: &SettingsPatch) -> reqwest::Response {
        let request = self.world.settings(Method::PUT, user).json(patch).timeout(CLIENT_WAITS);
        request.send().await.expect("an answer in time")
    }

    async fn what_shows_more_is_refused(&self) {
        for patch in [
            visible_to(Visibility::Everyone),
            SettingsPatch { custom_status: Some("new".into()), ..SettingsPatch::default() },
            // Hides and shows at once: not only a tightening.
            SettingsPatch { show_current_page: Some(true), ..visible_to(Visibility::Nobody) },
        ] {
            let answer = self.put(self.world.finn, &patch).await;
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{patch:?}");
            let seconds = answer.headers().get(RETRY_AFTER).expect("a time").to_str().unwrap().parse::<u32>();
            assert!(seconds.is_ok_and(|seconds| seconds > 0));
            assert_eq!(answer.json::<Value>().await.unwrap()["code"], "unavailable");
        }
        let directory = self.world.service(Method::DELETE, &format!("/users/{}", self.world.sam));
        let answer = directory.timeout(CLIENT_WAITS).send().await.expect("an answer in time");
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    /// Acknowledged without being stored, and in force for everybody.
    async fn hides(&self, user: model::UserId, patch: &SettingsPatch) {
        let answer = self.put(user, patch).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let body: Value = answer.json().await.unwrap();
        assert_eq!((&body["applied"], &body["durable"]), (&json!(true), &json!(false)));
    }

    async fn finn_hides(&mut self) {
        self.hides(self.world.finn, &visible_to(Visibility::Nobody)).await;
        self.anna.ping().await;
        self.anna.loses(self.world.wedding_a, self.world.finn).await;
        self.anna.forget();
        self.finn.track(track(Status::Away)).await;
        self.anna.ping().await;
        assert!(!self.anna.heard_of(self.world.finn));
        let own = chosen_by_finn(&self.world).await;
        assert_eq!(own, "nobody", "what is in force is what is told");
    }

    /// That her view may be old, or that it is not.
    async fn anna_is_told(&mut self, phase: Phase) {
        let wedding = self.world.wedding_a;
        self.anna.until(&format!("{phase:?}"), |tab| tab.replica.phase(wedding) == Some(phase)).await;
    }

    /// The database is back: what waited is there, once, and nothing is left to be done.
    async fn recovers(&self, hidden: &[model::UserId]) {
        becomes(&self.world, false).await;
        eventually("an empty spool", async || (self.launch.home().spooled() == 0).then_some(())).await;
        for user in hidden {
            assert_eq!(self.audited(*user), "1", "once in the audit");
        }
        let answer = self.put(self.world.rosa, &visible_to(Visibility::Everyone)).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }

    fn audited(&self, user: model::UserId) -> String {
        self.postgres.sql(&format!(
            "SELECT count(*) FROM presence_audit WHERE kind = 'settings' AND subject = '{user}'"
        ))
    }

    /// All of it, with a server that is away in one way or another.
    async fn outage(mut self, begin: fn(&Cluster), end: fn(&Cluster)) {
        begin(self.postgres.cluster());
        self.presence_goes_on().await;
        self.what_shows_more_is_refused().await;
        self.finn_hides().await;
        let vanish = SettingsPatch { appear_offline: Some(true), ..SettingsPatch::default() };
        self.hides(self.world.vera, &vanish).await;
        assert_eq!(self.launch.home().spooled(), 2);
        becomes(&self.world, true).await;
        self.anna_is_told(Phase::Stale).await;
        end(self.postgres.cluster());
        self.anna_is_told(Phase::Live).await;
        self.recovers(&[self.world.finn, self.world.vera]).await;
        // Still hidden, until he says otherwise.
        assert!(!self.anna.was_shown(self.world.finn));
        self.world.set(self.world.finn, visible_to(Visibility::Contacts)).await;
        self.anna.sees(self.world.wedding_a, self.world.finn, Status::Away).await;
    }
}

#[tokio::test]
async fn a_server_that_is_stopped_stops_no_presence() {
    Scene::new().await.outage(Cluster::stop, Cluster::start_again).await;
}

#[tokio::test]
async fn a_server_that_stands_still_stops_no_presence() {
    Scene::new().await.outage(Cluster::freeze, Cluster::thaw).await;
}

/// Acknowledged is acknowledged: the hub dies while the change is only on its own disk.
#[tokio::test]
async fn a_tightening_that_waits_outlives_the_hub() {
    let mut scene = Scene::new().await;
    scene.postgres.cluster().kill9();
    scene.finn_hides().await;
    let vanish = SettingsPatch { appear_offline: Some(true), ..SettingsPatch::default() };
    scene.hides(scene.world.finn, &vanish).await;
    let Scene { postgres, launch, world: before, .. } = scene;
    before.hub.strike();
    postgres.cluster().start_again();

    // Nothing can be written yet: hidden all the same, from the first moment.
    let mut lock = postgres.session();
    lock.run("BEGIN").unwrap();
    lock.run("LOCK TABLE presence_audit IN SHARE MODE").unwrap();
    let world = before.beside(Arc::new(launch.start()));
    let _finn = world.enter_present(world.finn).await;
    let _vera = world.enter_present(world.vera).await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    anna.sees(world.wedding_a, world.vera, Status::Online).await;
    anna.ping().await;
    assert!(!anna.heard_of(world.finn), "{:?}", anna.heard);
    let count = "SELECT count(*) FROM presence_audit WHERE kind = 'settings'";
    assert_eq!(postgres.sql(count), "0");
    lock.run("COMMIT").unwrap();

    eventually("both in the audit", async || (postgres.sql(count) == "2").then_some(())).await;
    eventually("an empty spool", async || (launch.home().spooled() == 0).then_some(())).await;
    assert_eq!(postgres.sql("SELECT visibility, appear_offline FROM presence_settings"), "nobody|t");
    let mut marker = world.enter(world.rosa).await;
    marker.track(online()).await;
    anna.sees(world.wedding_a, world.rosa, Status::Online).await;
    assert!(!anna.heard_of(world.finn), "{:?}", anna.heard);
    assert_eq!(postgres.sql(count), "2", "and no more than that");
}

/// What waited on one hub is older than what was chosen on another: it takes nothing back.
#[tokio::test]
async fn a_tightening_that_comes_late_widens_nothing() {
    let scene = Scene::new().await;
    let (first, second) = (&scene.world, scene.world.beside(Arc::new(scene.postgres.launch().start())));
    first.set(first.finn, visible_to(Visibility::Everyone)).await;
    scene.postgres.cluster().stop();
    scene.hides(first.finn, &visible_to(Visibility::Team)).await;
    first.hub.strike();
    becomes(&second, true).await;
    scene.postgres.cluster().start_again();
    becomes(&second, false).await;
    assert_eq!(chosen_by_finn(&second).await, "everyone", "it has not heard of it");
    second.set(second.finn, visible_to(Visibility::Nobody)).await;
    assert_eq!(scene.launch.home().spooled(), 1);

    let first = first.beside(Arc::new(scene.launch.start()));
    let worlds = [&first, &second];
    // To Vera, who is his colleague and at his wedding, everything but nobody would show him.
    let mut views = Vec::new();
    for world in worlds {
        let mut vera = world.enter(world.vera).await;
        vera.watch(world.wedding_a).await;
        views.push((world.enter_present(world.finn).await, vera));
    }
    eventually("an empty spool", async || (scene.launch.home().spooled() == 0).then_some(())).await;
    // A change that was made after it has passed both hubs.
    second
        .set(second.rosa, SettingsPatch { show_current_page: Some(true), ..SettingsPatch::default() })
        .await;
    first.set(first.finn, SettingsPatch { show_activity: Some(false), ..SettingsPatch::default() }).await;
    let stored = "SELECT visibility, show_activity FROM presence_settings \
        WHERE (SELECT count(*) FROM operation_results AS o WHERE o.user_id = presence_settings.user_id) = 4";
    assert_eq!(scene.postgres.sql(stored), "nobody|f", "of four changes by Finn");
    assert_eq!(scene.audited(first.finn), "3", "one of which changed nothing");
    for (world, (_finn, vera)) in worlds.into_iter().zip(&mut views) {
        assert_eq!(chosen_by_finn(world).await, "nobody");
        vera.ping().await;
        assert!(!vera.was_shown(world.finn), "{:?}", vera.heard);
    }
    first.set(first.finn, visible_to(Visibility::Contacts)).await;
    for (world, (_finn, vera)) in worlds.into_iter().zip(&mut views) {
        vera.sees(world.wedding_a, world.finn, Status::Online).await;
    }
}

/// A hub that has never seen its database has nothing to show, and says so instead of running.
#[tokio::test]
async fn a_hub_does_not_start_without_its_database() {
    let scene = Scene::new().await;
    scene.postgres.cluster().stop();
    let other = scene.postgres.launch();
    let output = in_time("the end of the process", tokio::task::spawn_blocking(move || other.fail())).await;
    let output = output.expect("an end");
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
}
