use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex},
};

use metrics_exporter_prometheus::PrometheusBuilder;
use model::{ChannelId, DirectoryChange, Plan, Role, SettingsPatch, Wall};
use tokio::sync::Notify;

use super::{dice::Dice, past::Past, *};

fn world() -> World {
    World::sample().unwrap()
}

#[test]
fn the_sample_world_is_an_agency_and_three_weddings() {
    let world = world();
    let count =
        |holds: fn(&DirectoryChange) -> bool| world.changes.iter().filter(|change| holds(change)).count();
    assert_eq!(count(|change| matches!(change, DirectoryChange::PutWedding { .. })), 3);
    assert_eq!(
        count(|change| matches!(change, DirectoryChange::PutOrganization { plan: Plan::Enterprise, .. })),
        1
    );
    assert!(count(|change| matches!(change, DirectoryChange::PutMember { role: Role::Admin, .. })) >= 2);
    assert!(count(|change| matches!(change, DirectoryChange::PutMember { role: Role::Member, .. })) >= 3);
    assert!(count(|change| matches!(change, DirectoryChange::PutAccount { .. })) >= 4);
    let suppliers = world.changes.iter().filter_map(|change| match change {
        DirectoryChange::PutCollaboration { supplier, .. } => Some(*supplier),
        _ => None,
    });
    assert_eq!(suppliers.collect::<BTreeSet<_>>().len(), 21, "20 suppliers and the coordinator");
    assert_eq!(world.people.iter().filter(|person| person.part == "couple").count(), 6);
}

#[test]
fn the_coordinator_is_at_every_wedding_and_everybody_is_somewhere() {
    let world = world();
    let coordinator = world.person(None).unwrap();
    assert_eq!(coordinator.part, "venue");
    assert_eq!(coordinator.channels.iter().filter(|id| matches!(id, ChannelId::Wedding(_))).count(), 3);
    for person in &world.people {
        assert!(!person.channels.is_empty() && !person.part.is_empty(), "{}", person.name);
        assert_eq!(world.names.user(person.id), person.name);
    }
}

#[test]
fn choices_are_mixed_and_somebodys() {
    let world = world();
    let patches: Vec<_> = world.people.iter().map(|person| person.choice.patch()).collect();
    for visibility in [
        model::Visibility::Everyone,
        model::Visibility::Team,
        model::Visibility::Contacts,
        model::Visibility::Nobody,
    ] {
        assert!(patches.iter().any(|patch| patch.visibility == Some(visibility)), "{visibility:?}");
    }
    let some = |holds: fn(&SettingsPatch) -> bool| patches.iter().any(holds);
    assert!(some(|patch| patch.appear_offline == Some(true)));
    assert!(some(|patch| patch.show_current_page == Some(true)));
    assert!(some(|patch| patch.show_activity == Some(false)));
    assert_eq!(world.people.iter().filter(|person| person.choice != world::Choice::Contacts).count(), 14);
}

#[test]
fn people_are_found_by_name_id_and_beginning() {
    let world = world();
    let lea = world.person(Some("Lea Brandt")).unwrap();
    assert_eq!(world.person(Some(" lea ")).unwrap().id, lea.id);
    assert_eq!(world.person(Some(&lea.id.to_string())).unwrap().name, "Lea Brandt");
    let error = world.person(Some("Nobody Known")).unwrap_err();
    assert!(error.to_string().contains("Kenji Mori"), "{error}");
}

#[test]
fn the_same_seed_makes_the_same_life() {
    let throws = |seed, person| {
        let mut dice = Dice::new(seed, person);
        (0..50).map(|_| dice.between(10, 1_000)).collect::<Vec<_>>()
    };
    assert_eq!(throws(1, 2), throws(1, 2));
    assert_ne!(throws(1, 2), throws(1, 3));
    assert_ne!(throws(1, 2), throws(2, 2));
    assert!(throws(1, 2).iter().all(|number| (10..1_000).contains(number)));
    assert_eq!(Dice::new(1, 1).between(5, 5), 5);
    assert!([1, 2].contains(Dice::new(1, 1).pick(&[1, 2])));
}

/// Takes what is shown, and says when all that is waited for was.
#[derive(Clone)]
struct Screen {
    shown: Arc<Mutex<String>>,
    awaited: &'static [&'static str],
    complete: Arc<Notify>,
}

impl Screen {
    fn until(awaited: &'static [&'static str]) -> Self {
        Self { shown: Arc::default(), awaited, complete: Arc::default() }
    }

    fn text(&self) -> String {
        self.shown.lock().unwrap().clone()
    }
}

impl io::Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut shown = self.shown.lock().unwrap();
        shown.push_str(std::str::from_utf8(bytes).unwrap());
        if self.awaited.iter().all(|line| shown.contains(line)) {
            self.complete.notify_one();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_people_come_and_whoever_hides_is_not_seen() {
    let world = world();
    let viewer = world.person(None).unwrap().clone();
    let scene = Scene::new(Some(0), None).unwrap();
    let place = scene.config.store.sqlite_path.clone();
    let demo = Demo { world, viewer, scene, palette: Palette::Plain, seed: 1 };
    let mut screen =
        Screen::until(&["connected", "+ Marta Keller (venue)", "(couple)  online", "+ Nora Lindqvist"]);
    let complete = screen.complete.clone();
    let end = async move {
        complete.notified().await;
        Ok(())
    };
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let run = demo.run(metrics, end, &mut screen);
    tokio::time::timeout(Duration::from_secs(60), run).await.expect("somebody comes").unwrap();
    let text = screen.text();
    let (header, lines) = text.split_once("Ctrl-C ends it.").unwrap();
    assert!(header.starts_with("presence-hub demo: open http://127.0.0.1:"), "{header}");
    assert!(header.contains("You see what Marta Keller (venue) sees"), "{header}");
    assert!(header.contains(" watch --roster --url ws://127.0.0.1:"), "{header}");
    assert!(header.contains(" --side-by-side "), "{header}");
    assert!(!text.contains('\u{1b}'), "plain is plain");
    for hidden in ["Kenji Mori", "Dario Conti", "Jonas Weber"] {
        assert!(!lines.contains(hidden), "{hidden} is not seen by the coordinator:\n{lines}");
    }
    assert!(place.exists());
    drop(demo);
    assert!(!place.parent().unwrap().exists(), "a world without a place is thrown away");
}

#[test]
fn assistants_have_a_desk() {
    let world = world();
    let desk = super::desk::Desk::of(&world).unwrap();
    let names: Vec<_> = desk.assistants.iter().map(|assistant| world.names.user(*assistant)).collect();
    assert_eq!(world.names.user(desk.admin), "Paul Adeyemi");
    assert_eq!(names, ["Sofia Marin", "Ravi Menon", "Elin Ask"]);
    assert_eq!(desk.accounts.len(), 12);
    let nobody = World { people: Vec::new(), ..world };
    assert_eq!(super::desk::Desk::of(&nobody), None);
}

/// By code, over real sockets: an admin sees who is in which account.
#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sees_assistants_clock_in_and_an_assistant_sees_only_that_somebody_did() {
    for (viewer, sees, badge) in [("Paul Adeyemi", true, " · since "), ("Marta Keller", false, "● Occupied")]
    {
        let world = world();
        let viewer = world.person(Some(viewer)).unwrap().clone();
        let scene = Scene::new(Some(0), None).unwrap();
        let demo = Demo { world, viewer, scene, palette: Palette::Plain, seed: 1 };
        let mut screen =
            Screen::until(if sees { &["(account)  ● "] } else { &["(account)  ● Occupied"] });
        let complete = screen.complete.clone();
        let end = async move {
            complete.notified().await;
            Ok(())
        };
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let run = demo.run(metrics, end, &mut screen);
        tokio::time::timeout(Duration::from_secs(60), run).await.expect("somebody clocks in").unwrap();
        let text = screen.text();
        assert!(text.contains(badge), "{text}");
        assert_eq!(text.contains(" · since "), sees, "{text}");
    }
}

#[test]
fn a_world_with_a_place_is_kept() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("demo");
    drop(Scene::new(Some(0), Some(&data)).unwrap());
    assert!(data.exists());
}

/// A hub with the sample world, and where its sockets are.
async fn started(scene: &Scene) -> (crate::run::Running, String) {
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let running = scene.start(&world(), metrics).await.unwrap();
    let url = running.socket_url();
    (running, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_drawn_of_who_is_there_and_the_terminal_is_given_back() {
    let scene = Scene::new(Some(0), None).unwrap();
    let (running, url) = started(&scene).await;
    let world = world();
    let viewer = world.person(None).unwrap();
    let mut options =
        Options::new(url, watch::minted(scene.issuer().clone(), viewer.id)).track(viewer.first_track());
    options.channels = vec![SubscribeRequest::roster(viewer.channels[1])];
    let (client, events) = Client::start(options);
    let mut screen = Screen::until(&["as Marta Keller", "1 here", "never seen"]);
    let complete = screen.complete.clone();
    let end = async move {
        complete.notified().await;
        Ok(())
    };
    let face = Face::table(world.names.clone(), Palette::Plain);
    let follow = watch::follow(&client, events, face, end, &mut screen);
    tokio::time::timeout(Duration::from_secs(60), follow).await.expect("it is drawn").unwrap();
    assert!(screen.text().ends_with("\u{1b}[?1049l"));
    client.close().await;
    running.shutdown().await;
}

/// The owner's report of the weeks before is full from the first moment, and whoever does not show it is not in it.
#[tokio::test(flavor = "multi_thread")]
async fn the_world_has_a_past() {
    crate::auth::install_crypto();
    let (world, scene) = (world(), Scene::new(Some(0), None).unwrap());
    let (running, _) = started(&scene).await;
    let day = |days_ago: u64| {
        let now = std::time::SystemTime::now() - Duration::from_secs(days_ago * 86_400);
        chrono::DateTime::<chrono::Utc>::from(now).format("%Y-%m-%d").to_string()
    };
    let organization = past::enterprises(&world).next().unwrap();
    let report = format!(
        "{}api/presence/analytics?organizationId={organization}&from={}&to={}",
        running.console_url(),
        day(27),
        day(0)
    );
    let owner = world.person(Some("Nora Lindqvist")).unwrap().id;
    let token = mint(scene.issuer(), owner, PRINTED_TOKEN_LIFE).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(report).bearer_auth(token).send().await.unwrap().text().await.unwrap();
    let report: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert!(report["totalSessions"].as_u64().unwrap() > 60, "{report}");
    assert!(report["pageViews"].as_array().unwrap().len() >= 5, "{report}");
    assert!(report["mostActiveUsers"].as_array().unwrap().len() >= 3, "{report}");
    running.shutdown().await;
}

#[test]
fn a_past_is_over_and_the_same_for_a_seed() {
    let world = world();
    let now = Wall(1_795_000_000_000);
    let days =
        |past: &Past| past.stretches.iter().map(|it| (it.user, it.id.started, it.seen)).collect::<Vec<_>>();
    let (past, again) = (Past::of(&world, 1, now), Past::of(&world, 1, now));
    assert_eq!(days(&past), days(&again));
    assert_ne!(days(&past), days(&Past::of(&world, 2, now)));
    assert!(past.stretches.iter().all(|it| it.id.started < it.seen && it.seen < now));
    let shown: BTreeSet<_> = past.stretches.iter().map(|it| it.user).collect();
    for person in &world.people {
        let may = person.choice.patch().show_activity == Some(true);
        assert!(may || !shown.contains(&person.id), "{}", person.name);
    }
}

/// What a page reads, or the status that it gets, when it calls the hub by `host`.
async fn personas(running: &crate::run::Running, host: &str) -> Result<Vec<serde_json::Value>, u16> {
    let url = format!("{}demo/personas", running.console_url());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(url).header("Host", host).send().await.unwrap();
    match answer.status().as_u16() {
        200 => Ok(serde_json::from_str(&answer.text().await.unwrap()).unwrap()),
        status => Err(status),
    }
}

/// With tokens that the hub takes: each persona is in something, and the console finds out what.
#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_may_be_one_of_five() {
    crate::auth::install_crypto();
    let scene = Scene::new(Some(0), None).unwrap();
    let (running, _) = started(&scene).await;
    let port = running.address.port();
    let found = personas(&running, &format!("127.0.0.1:{port}")).await.unwrap();
    let ids: Vec<_> = found.iter().map(|persona| persona["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["admin", "va", "coordinator", "couple", "operator"]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for persona in &found {
        let url = format!("{}api/presence/me/channels", running.console_url());
        let asked = client.get(url).bearer_auth(persona["token"].as_str().unwrap());
        let answer = asked.send().await.unwrap().text().await.unwrap();
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["user"]["displayName"], persona["name"], "{answer}");
        let count = |what: &str| answer[what].as_array().unwrap().len();
        assert!(count("organizations") + count("weddings") > 0, "{answer}");
        assert_eq!(answer["operator"], persona["id"] == "operator", "{answer}");
        assert!(persona["start"].as_str().unwrap().starts_with("#/"));
    }
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1.evil.example"] {
        assert_eq!(personas(&running, host).await, Err(404), "{host}");
    }
    assert!(personas(&running, "localhost:1").await.is_ok());
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_whom_the_hub_does_not_know_is_told() {
    let scene = Scene::new(Some(0), None).unwrap();
    let (running, url) = started(&scene).await;
    let stranger = model::UserId(uuid::Uuid::new_v4());
    let (client, events) = Client::start(Options::new(url, watch::minted(scene.issuer().clone(), stranger)));
    let face = Face::Lines(Default::default(), Palette::Plain);
    let mut screen = Screen::until(&["never"]);
    let follow = watch::follow(&client, events, face, std::future::pending(), &mut screen);
    let error = tokio::time::timeout(Duration::from_secs(60), follow).await.expect("it ends").unwrap_err();
    assert!(matches!(error, CommandError::Ended(client::Ending::ByHub(_))), "{error}");
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_was_asked_for_is_taken_or_nothing() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let metrics = || PrometheusBuilder::new().build_recorder().handle();
    let scene = Scene::new(Some(port), None).unwrap();
    let refused = scene.start(&world(), metrics()).await;
    assert!(matches!(refused, Err(CommandError::Start(_))));
    let mut scene = Scene::new(None, None).unwrap();
    scene.config.listen.port = port;
    let running = scene.start(&world(), metrics()).await.unwrap();
    assert_ne!(running.address.port(), port);
    running.shutdown().await;
}
