//! Analytics: told to those who administer an organization, of what was logged, and never of who was erased. On both
//! databases.

use std::sync::Arc;

use chrono::{Days, Utc};
use model::{DirectoryChange, OrganizationId, Plan, Role, UserId};
use reqwest::{
    Method, StatusCode,
    header::{CACHE_CONTROL, HeaderMap},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::{Launch, Postgres, World, eventually, id_of, token};

/// A world whose agency keeps a log, and where three people have looked at a page, one of them twice.
struct Office {
    world: World,
    launch: Launch,
    /// Lives as long as the hub.
    _postgres: Option<Postgres>,
}

impl Office {
    async fn on(launch: Launch, postgres: Option<Postgres>) -> Self {
        let launch = launch.for_agencies();
        let world = World::on(Arc::new(launch.start())).await;
        let office = Self { world, launch, _postgres: postgres };
        office.put_plan(Plan::Enterprise).await;
        let world = &office.world;
        for user in [world.olga, world.finn, world.vera, world.finn] {
            office.views(user, "/plan?secret=1").await;
        }
        office.views(world.vera, "/alone").await;
        office.add_up(world.vera, "/alone").await;
        office
    }

    async fn embedded() -> Self {
        Self::on(Launch::new(), None).await
    }

    async fn with_postgres() -> Self {
        let postgres = Postgres::shared();
        Self::on(postgres.launch(), Some(postgres)).await
    }

    fn agency(&self) -> OrganizationId {
        OrganizationId(id_of(self.world.agency))
    }

    async fn put_plan(&self, plan: Plan) {
        let put = DirectoryChange::PutOrganization { id: self.agency(), name: "Agency".into(), plan };
        self.world.change(&[put]).await;
    }

    async fn views(&self, user: UserId, page: &str) {
        let url = self.world.hub.url("/api/presence/activity");
        let call = self.world.http.post(url).bearer_auth(token(user).reveal());
        let answer = call.json(&json!({ "activityType": "page_view", "page": page })).send().await;
        assert_eq!(answer.expect("an answer").status(), StatusCode::ACCEPTED);
    }

    /// Waits until all is written that was told before `page`, and makes the totals of it.
    async fn add_up(&self, user: UserId, page: &str) {
        let port = format!("listen.port={}", self.world.hub.port());
        eventually(page, async || {
            let done = self.launch.home().run(&["jobs", "run", "rollups", "--set", &port]);
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            let export = self.get(user, "/api/presence/me/export").await.2;
            let pages = export["pages"].as_array().expect("rows");
            pages.iter().any(|row| row["page"] == page).then_some(())
        })
        .await;
    }

    async fn get(&self, user: UserId, path: &str) -> (StatusCode, HeaderMap, Value) {
        let call = self.world.http.get(self.world.hub.url(path)).bearer_auth(token(user).reveal());
        let answer = call.send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        (status, headers, answer.json().await.expect("JSON"))
    }

    async fn asks(&self, user: UserId, of: Uuid, rest: &str) -> (StatusCode, Value) {
        let (status, _, body) = self.get(user, &analytics(of, rest)).await;
        (status, body)
    }

    /// The report of these days, in full.
    async fn report(&self) -> Value {
        let (status, body) = self.asks(self.world.olga, self.agency().0, &lately()).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }

    async fn put_member(&self, user: UserId, role: Role) {
        self.world.change(&[DirectoryChange::PutMember { organization: self.agency(), user, role }]).await;
    }
}

fn analytics(of: Uuid, rest: &str) -> String {
    format!("/api/presence/analytics?organizationId={of}&{rest}")
}

/// From yesterday to tomorrow, whatever the clock of the zone says.
fn lately() -> String {
    let today = Utc::now().date_naive();
    format!("from={}&to={}&timeZone=Asia/Kathmandu", today - Days::new(1), today + Days::new(1))
}

async fn are_told_to_admins(office: Office) {
    let world = &office.world;
    let (status, headers, report) = office.get(world.olga, &analytics(office.agency().0, &lately())).await;
    assert_eq!((status, headers[CACHE_CONTROL].to_str().unwrap()), (StatusCode::OK, "private, no-store"));
    assert_eq!(report["pageViews"], json!([{ "page": "/plan", "views": 4, "uniqueUsers": 3 }]));
    assert_eq!((&report["activeNow"], &report["totalSessions"]), (&json!(3), &json!(0)));
    assert_eq!(report["averageSessionDuration"], json!(0.0));
    assert_eq!(report["deviceBreakdown"], json!({ "desktop": 0, "mobile": 0, "tablet": 0 }));
    let listed: Vec<_> =
        report["mostActiveUsers"].as_array().unwrap().iter().map(|of| &of["userId"]).collect();
    let mut people = [world.olga, world.finn, world.vera];
    people.sort();
    assert_eq!(listed, people.map(|user| json!(user)).iter().collect::<Vec<_>>());
    for list in ["peakHours", "peakMonths", "weekdays", "supplierTypes"] {
        assert!(report[list].is_array(), "{list} of {report}");
    }
    // The one and the other are the whole of the answer.
    assert_eq!(report.as_object().unwrap().len(), 10, "{report}");
}

#[tokio::test]
async fn analytics_are_told_to_admins_with_sqlite() {
    are_told_to_admins(Office::embedded().await).await;
}

#[tokio::test]
async fn analytics_are_told_to_admins_with_postgres() {
    are_told_to_admins(Office::with_postgres().await).await;
}

/// A member is refused; to others, and of an organization that is not there, the same is said.
async fn are_told_to_nobody_else(office: Office) {
    let (world, days) = (&office.world, lately());
    office.report().await;
    let (status, problem) = office.asks(world.finn, office.agency().0, &days).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("forbidden")));
    let (status, mut foreign) = office.asks(world.rosa, office.agency().0, &days).await;
    assert_eq!((status, &foreign["code"]), (StatusCode::NOT_FOUND, &json!("unknown_channel")));
    let mut unknown = office.asks(world.rosa, Uuid::new_v4(), &days).await.1;
    for answer in [&mut foreign, &mut unknown] {
        answer.as_object_mut().unwrap().remove("requestId");
    }
    assert_eq!(foreign, unknown);
    let url = world.hub.url(&analytics(office.agency().0, &days));
    let nobody = world.http.get(url).send().await.expect("an answer");
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);

    // Also where the answer is there already.
    office.put_member(world.finn, Role::Owner).await;
    assert_eq!(office.asks(world.finn, office.agency().0, &days).await.0, StatusCode::OK);
    office.put_member(world.olga, Role::Member).await;
    assert_eq!(office.asks(world.olga, office.agency().0, &days).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn analytics_are_told_to_nobody_else_with_sqlite() {
    are_told_to_nobody_else(Office::embedded().await).await;
}

#[tokio::test]
async fn analytics_are_told_to_nobody_else_with_postgres() {
    are_told_to_nobody_else(Office::with_postgres().await).await;
}

/// What was answered once is answered again, until somebody is erased.
async fn forget_the_erased(office: Office) {
    let world = &office.world;
    let before = office.report().await;
    office.views(world.olga, "/plan").await;
    office.views(world.olga, "/later").await;
    office.add_up(world.olga, "/later").await;
    assert_eq!(office.report().await, before, "it is kept");
    let url = world.hub.url("/api/presence/me");
    let call = world.http.request(Method::DELETE, url).bearer_auth(token(world.vera).reveal());
    assert!(call.send().await.expect("an answer").status().is_success());
    let after = office.report().await;
    assert_eq!((&after["pageViews"], &after["activeNow"]), (&json!([]), &json!(2)));
    assert!(!after.to_string().contains(&world.vera.to_string()), "{after}");

    let call = world.service(Method::DELETE, &format!("/users/{}", world.finn));
    assert_eq!(call.send().await.expect("an answer").status(), StatusCode::NO_CONTENT);
    assert!(!office.report().await.to_string().contains(&world.finn.to_string()));
}

#[tokio::test]
async fn analytics_forget_the_erased_with_sqlite() {
    forget_the_erased(Office::embedded().await).await;
}

#[tokio::test]
async fn analytics_forget_the_erased_with_postgres() {
    forget_the_erased(Office::with_postgres().await).await;
}

#[tokio::test]
async fn an_organization_without_a_log_has_empty_analytics() {
    let office = Office::embedded().await;
    office.put_plan(Plan::Standard).await;
    let report = office.report().await;
    assert_eq!((&report["mostActiveUsers"], &report["activeNow"]), (&json!([]), &json!(0)), "{report}");
}

#[tokio::test]
async fn what_is_no_range_of_days_is_refused() {
    let office = Office::embedded().await;
    let of = office.agency().0;
    for (rest, status, words) in [
        ("from=2026-02-01&to=2026-01-01", 422, "later"),
        ("from=2016-01-01&to=2026-01-01", 422, "366"),
        ("from=2026-02-29&to=2026-03-01", 422, "from"),
        ("from=2026-02-01&to=tomorrow", 422, "to"),
        ("from=2026-01-01&to=2026-01-01&timeZone=Mars/Olympus", 422, "timeZone"),
        ("from=2026-01-01&to=2026-01-01&timeZone=", 422, "timeZone"),
        ("from=2026-01-01", 400, "to"),
        ("from=2026-01-01&to=2026-01-01&by=hour", 400, "by"),
        ("from=2026-01-01&to=2026-01-01&to=2026-01-02", 400, ""),
        ("from=2026-01-01&to=2026-01-01&timeZone=%ff", 400, ""),
    ] {
        let (said, problem) = office.asks(office.world.olga, of, rest).await;
        assert_eq!(said.as_u16(), status, "{rest}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{rest}: {problem}");
    }
}
