//! Activity: taken by socket and by REST, kept for those who want it, read out and erased. On both databases.

use std::{path::Path, sync::Arc};

use model::{
    ActivityRequest, ActivityType, DirectoryChange, ErrorCode, OrganizationId, Plan, SettingsPatch, UserId,
    Visibility,
};
use reqwest::{Method, RequestBuilder, StatusCode, header::RETRY_AFTER};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::{ActivityFrame, ClientFrame, Failure};

use crate::fixture::{Launch, Postgres, Tab, World, eventually, id_of, token};

mod erasure;
mod jobs;

/// A world whose agency keeps a log.
struct Office {
    world: World,
    /// Where there is a Postgres, it lives as long as the hub.
    postgres: Option<Postgres>,
    launch: Launch,
}

impl Office {
    async fn on(launch: Launch, postgres: Option<Postgres>) -> Self {
        let launch = launch.set("limits.activities_per_second", 10_000);
        let world = World::on(Arc::new(launch.start())).await;
        let office = Self { world, postgres, launch };
        office.put_plan(Plan::Enterprise).await;
        office
    }

    async fn embedded() -> Self {
        Self::on(Launch::new(), None).await
    }

    async fn with_postgres() -> Self {
        let postgres = Postgres::shared();
        Self::on(postgres.launch(), Some(postgres)).await
    }

    async fn put_plan(&self, plan: Plan) {
        let id = OrganizationId(id_of(self.world.agency));
        self.world.change(&[DirectoryChange::PutOrganization { id, name: "Agency".into(), plan }]).await;
    }

    /// The same people on the hub that is started after this one has gone.
    fn again(self) -> Self {
        let Self { world, postgres, launch } = self;
        let hub = Arc::new(launch.start());
        Self { world: world.moved_to(hub), postgres, launch }
    }

    fn call(&self, method: Method, path: &str, user: UserId) -> RequestBuilder {
        let url = self.world.hub.url(&format!("/api/presence{path}"));
        self.world.http.request(method, url).bearer_auth(token(user).reveal())
    }

    async fn tell(&self, user: UserId, body: Value) -> reqwest::Response {
        self.call(Method::POST, "/activity", user).json(&body).send().await.expect("an answer")
    }

    async fn views(&self, user: UserId, page: &str) {
        let answer = self.tell(user, json!({ "activityType": "page_view", "page": page })).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(answer.json::<Value>().await.expect("JSON"), json!({ "success": true }));
    }

    async fn export(&self, user: UserId) -> Value {
        let answer = self.call(Method::GET, "/me/export", user).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.expect("a whole document")
    }

    /// Erases a user, from the store at least; tells whether the archive is clean too. That may come later, where the machine is slow
    /// or another hub does it.
    async fn erase(&self, user: UserId) -> bool {
        let answer = self.call(Method::DELETE, "/me", user).send().await.expect("an answer");
        let status = answer.status();
        let archive_done = match status {
            StatusCode::OK => true,
            StatusCode::ACCEPTED => false,
            _ => panic!("{status}: {}", answer.text().await.unwrap_or_default()),
        };
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(body, json!({ "success": true, "archiveDone": archive_done }));
        archive_done
    }

    /// The pages that the log has of a user, in order.
    async fn pages(&self, user: UserId) -> Vec<String> {
        let export = self.export(user).await;
        let rows = export["activity"].as_array().expect("rows").iter();
        let mut pages: Vec<_> =
            rows.filter_map(|row| row["page_viewed"].as_str().map(str::to_owned)).collect();
        pages.sort();
        pages
    }

    /// Waits until the log has this page of a user: whatever was told before is there then, or never comes.
    async fn logged(&self, user: UserId, page: &str) -> Vec<String> {
        eventually(page, async || {
            let pages = self.pages(user).await;
            pages.iter().any(|known| known == page).then_some(pages)
        })
        .await
    }
}

async fn say(tab: &mut Tab, activity: ActivityRequest) -> Result<(), Failure> {
    tab.ask(|id| ClientFrame::Activity(ActivityFrame { id, activity })).await
}

fn viewed(page: &str) -> ActivityRequest {
    ActivityRequest { page: Some(page.into()), ..ActivityRequest::of(ActivityType::PageView) }
}

async fn is_taken_by_socket_and_by_rest(office: Office) {
    let world = &office.world;
    let mut finn = world.enter_present(world.finn).await;
    say(&mut finn, viewed("/socket?secret=1#there")).await.expect("taken");
    let body = json!({ "activityType": "page_view", "page": "/rest?secret=2", "device": "tablet",
        "organizationId": id_of(world.agency), "metadata": { "action": "open", "count": 3 } });
    assert_eq!(office.tell(world.finn, body).await.status(), StatusCode::ACCEPTED);
    office.views(world.vera, "/vera").await;
    office.logged(world.vera, "/vera").await;
    assert_eq!(office.logged(world.finn, "/rest").await, ["/rest", "/socket"]);
    let export = office.export(world.finn).await;
    let rows = export["activity"].as_array().unwrap();
    let row = rows.iter().find(|row| row["page_viewed"] == "/rest").unwrap();
    assert_eq!((&row["device_type"], &row["activity_type"]), (&json!("tablet"), &json!("page_view")));
    assert_eq!(row["metadata"], json!({ "action": "open", "count": 3 }));
    assert_eq!(row["organization_id"], json!(id_of(world.agency)));
    let socket = rows.iter().find(|row| row["page_viewed"] == "/socket").unwrap();
    assert!(socket["session_id"].is_string(), "it is of the socket's session: {socket}");
    assert!(!export.to_string().contains("secret") && !export.to_string().contains("/vera"), "{export}");
    finn.sign_out().await;
    eventually("the end of the session", async || {
        let export = office.export(world.finn).await;
        let ended = export["sessions"].as_array()?.iter().any(|session| session["ended"] == true);
        ended.then_some(())
    })
    .await;
}

#[tokio::test]
async fn activity_is_taken_by_socket_and_by_rest_with_sqlite() {
    is_taken_by_socket_and_by_rest(Office::embedded().await).await;
}

#[tokio::test]
async fn activity_is_taken_by_socket_and_by_rest_with_postgres() {
    is_taken_by_socket_and_by_rest(Office::with_postgres().await).await;
}

/// Every one of them is answered as if it were logged: what others chose, or the plan, is nobody's to learn.
#[tokio::test]
async fn nothing_is_logged_of_who_is_hidden_or_does_not_want_it() {
    let office = Office::embedded().await;
    let world = &office.world;
    let everyone = SettingsPatch { visibility: Some(Visibility::Everyone), ..SettingsPatch::default() };
    for hiding in [
        SettingsPatch { show_activity: Some(false), ..SettingsPatch::default() },
        SettingsPatch { appear_offline: Some(true), ..SettingsPatch::default() },
        SettingsPatch { visibility: Some(Visibility::Nobody), ..SettingsPatch::default() },
    ] {
        world.set(world.finn, hiding).await;
        office.views(world.finn, "/hidden").await;
        let showing =
            SettingsPatch { show_activity: Some(true), appear_offline: Some(false), ..everyone.clone() };
        world.set(world.finn, showing).await;
    }
    office.put_plan(Plan::Standard).await;
    office.views(world.finn, "/standard").await;
    office.put_plan(Plan::Enterprise).await;
    office.views(world.finn, "/shown").await;
    assert_eq!(office.logged(world.finn, "/shown").await, ["/shown"]);
}

#[tokio::test]
async fn bad_activity_is_refused_with_the_reason() {
    let office = Office::embedded().await;
    let world = &office.world;
    let long = "x".repeat(101);
    for (body, status, words) in [
        (json!({ "activityType": "sleep" }), 400, "sleep"),
        (json!({ "activityType": "focus", "when": "2099-01-01T00:00:00Z" }), 400, "when"),
        (json!({ "activityType": "focus", "metadata": { "salary": 3 } }), 422, "salary"),
        (json!({ "activityType": "focus", "metadata": { "action": long } }), 422, "100 characters"),
        (json!({ "activityType": "focus", "metadata": { "action": "x".repeat(20_000) } }), 413, ""),
        (json!({ "activityType": "focus", "page": "p".repeat(513) }), 422, "512"),
        (json!({ "activityType": "focus", "organizationId": Uuid::new_v4() }), 404, "no such organization"),
    ] {
        let answer = office.tell(world.finn, body.clone()).await;
        assert_eq!(answer.status().as_u16(), status, "{body}");
        let problem: Value = answer.json().await.expect("a problem");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    // One that is there, for others: the same words.
    let foreign = json!({ "activityType": "focus", "organizationId": id_of(world.agency) });
    let problem: Value = office.tell(world.rosa, foreign).await.json().await.unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("no such organization"), "{problem}");

    let mut rosa = world.enter_present(world.rosa).await;
    let foreign = Some(OrganizationId(id_of(world.agency)));
    let refused = say(&mut rosa, ActivityRequest { organization_id: foreign, ..viewed("/a") }).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::UnknownChannel);
    let of_another = ActivityRequest { session_id: Some(model::SessionId(Uuid::new_v4())), ..viewed("/a") };
    assert_eq!(say(&mut rosa, of_another).await.unwrap_err().code, ErrorCode::InvalidValue);
}

#[tokio::test]
async fn a_user_may_tell_so_much_at_once_and_no_more() {
    let world = World::on(Arc::new(Launch::as_delivered().start())).await;
    let tell = async || {
        let url = world.hub.url("/api/presence/activity");
        let call = world.http.post(url).bearer_auth(token(world.finn).reveal());
        call.json(&json!({ "activityType": "focus" })).send().await.expect("an answer")
    };
    for _ in 0..60 {
        assert_eq!(tell().await.status(), StatusCode::ACCEPTED);
    }
    let refused = eventually("a refusal", async || {
        let answer = tell().await;
        (answer.status() == StatusCode::TOO_MANY_REQUESTS).then_some(answer)
    })
    .await;
    assert_eq!(refused.headers()[RETRY_AFTER], "1");
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "rate_limited");
}

async fn survives_a_shutdown(mut office: Office) {
    for round in 0..3 {
        let page = format!("/round/{round}");
        let mut vera = office.world.enter_present(office.world.vera).await;
        say(&mut vera, viewed(&page)).await.expect("taken");
        office.world.hub.terminate();
        assert!(office.world.hub.ended().await.success());
        office = office.again();
        assert_eq!(office.pages(office.world.vera).await.len(), round + 1, "{page} is there at once");
    }
    let export = office.export(office.world.vera).await;
    assert!(export["lastSeen"][0]["last_seen_at"].is_string(), "{export}");
    let minutes = &export["lastSeen"][0]["session_duration_minutes"];
    assert_eq!(minutes, &json!(0), "of a session that was shorter than a minute");
}

#[tokio::test]
async fn sigterm_loses_nothing_with_sqlite() {
    survives_a_shutdown(Office::embedded().await).await;
}

#[tokio::test]
async fn sigterm_loses_nothing_with_postgres() {
    survives_a_shutdown(Office::with_postgres().await).await;
}

/// Whether any file under a directory has these bytes in it.
fn found_under(directory: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(found_under(&path, needle));
        } else if std::fs::read(&path).is_ok_and(|bytes| bytes.windows(needle.len()).any(|at| at == needle)) {
            found.push(path.display().to_string());
        }
    }
    found
}
