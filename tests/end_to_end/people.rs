//! People by REST: the same sight as on the sockets, asked once.

use model::{ChannelId, SettingsPatch, Status, TrackRequest, UserId, Visibility};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::{SERVICE_TOKEN, World, eventually, id_of, online, token, track};

const TRACK: &str = "/api/presence/track";

async fn body(answer: Response, status: StatusCode) -> Value {
    let (found, text) = (answer.status(), answer.text().await.expect("a body"));
    assert_eq!(found, status, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

async fn got(world: &World, viewer: UserId, path: &str) -> Value {
    body(world.call(Method::GET, path, viewer).send().await.expect("an answer"), StatusCode::OK).await
}

async fn asked(world: &World, viewer: UserId, users: &[UserId], context: Option<ChannelId>) -> Value {
    let query = json!({ "userIds": users, "context": context });
    let call = world.call(Method::POST, "/api/presence/users/query", viewer).json(&query);
    body(call.send().await.expect("an answer"), StatusCode::OK).await["users"].take()
}

/// The statuses of those who are seen.
async fn statuses(
    world: &World,
    viewer: UserId,
    users: &[UserId],
    context: Option<ChannelId>,
) -> Vec<(UserId, String)> {
    let seen = asked(world, viewer, users, context).await;
    let row = |person: &Value| {
        let id = serde_json::from_value(person["userId"].clone()).expect("an id");
        (id, person["status"].as_str().expect("a status").to_owned())
    };
    seen.as_array().expect("a list").iter().map(row).collect()
}

async fn tracked(world: &World, user: UserId, track: &TrackRequest) -> Value {
    body(world.call(Method::POST, TRACK, user).json(track).send().await.expect("an answer"), StatusCode::OK)
        .await
}

fn visible_to(visibility: Visibility) -> SettingsPatch {
    SettingsPatch { visibility: Some(visibility), ..SettingsPatch::default() }
}

#[tokio::test]
async fn one_some_and_all_are_told_alike() {
    let world = World::new().await;
    let page = Some("/weddings/7?secret=1".to_owned());
    let said = TrackRequest { current_page: page, custom_status: Some("fitting".into()), ..online() };
    tracked(&world, world.finn, &said).await;
    let one = got(&world, world.anna, &format!("/api/presence/users/{}", world.finn)).await;
    assert_eq!(one["customStatus"], "fitting");
    assert_eq!(one.get("currentPage"), None, "not shown without a choice");
    assert!(one["lastSeen"].as_str().expect("a time").ends_with(":00Z"), "{one}");
    let by_query = asked(&world, world.anna, &[world.finn, world.finn, world.sam], None).await;
    assert_eq!(by_query, json!([one]), "once, and nobody who is not seen");
    let url = format!("/api/presence/users?userIds[]={}&userIds[]={}", world.finn, world.sam);
    assert_eq!(got(&world, world.anna, &url).await["users"], by_query);
    let url = format!("{url}&context={}", world.wedding_a);
    assert_eq!(got(&world, world.anna, &url).await["users"], by_query);
    let team = got(&world, world.anna, &format!("/api/presence/weddings/{}", id_of(world.wedding_a))).await;
    let listed: Vec<_> = team["users"].as_array().expect("a list").iter().collect();
    assert_eq!(listed.len(), 4, "Anna, Finn, Vera and Rosa: {team}");
    assert!(listed.contains(&&one));
    let rosa = listed.iter().find(|person| person["userId"] == json!(world.rosa)).expect("Rosa");
    assert_eq!(**rosa, json!({ "userId": world.rosa, "status": "offline", "lastSeen": null }));
}

/// Foreign, unknown, hidden: one answer, to the byte.
#[tokio::test]
async fn who_is_not_seen_is_nobody() {
    let world = World::new().await;
    let nobody = UserId(Uuid::new_v4());
    world.set(world.vera, visible_to(Visibility::Nobody)).await;
    let _vera = world.enter_present(world.vera).await;
    let mut problems = Vec::new();
    for subject in [world.sam, world.vera, nobody] {
        let path = format!("/api/presence/users/{subject}");
        let answer = world.call(Method::GET, &path, world.anna).send().await.expect("an answer");
        problems.push(body(answer, StatusCode::NOT_FOUND).await);
        let path = format!("/api/presence/permissions?subject={subject}");
        assert_eq!(got(&world, world.anna, &path).await, json!({ "subject": subject, "visible": false }));
    }
    assert_eq!(problems[0]["code"], "unknown_user");
    assert!(problems.iter().all(|problem| *problem == problems[0]), "{problems:?}");
    assert!(asked(&world, world.anna, &[world.sam, world.vera, nobody], None).await == json!([]));
    let path = format!("/api/presence/permissions?subject={}", world.finn);
    assert_eq!(got(&world, world.anna, &path).await["visible"], true);
    let mut contexts = Vec::new();
    for channel in [world.wedding_b.to_string(), format!("wedding:{}", Uuid::new_v4())] {
        let path = format!("/api/presence/users/{}?context={channel}", world.anna);
        let answer = world.call(Method::GET, &path, world.anna).send().await.expect("an answer");
        contexts.push(body(answer, StatusCode::NOT_FOUND).await);
    }
    let path = format!("/api/presence/weddings/{}", id_of(world.wedding_b));
    let answer = world.call(Method::GET, &path, world.anna).send().await.expect("an answer");
    contexts.push(body(answer, StatusCode::NOT_FOUND).await);
    assert_eq!(contexts[0]["code"], "unknown_channel");
    assert!(contexts.iter().all(|problem| *problem == contexts[0]), "{contexts:?}");
}

/// A session that exists in one wedding is told of there, and to those who are there too.
#[tokio::test]
async fn a_scope_holds_by_rest_too() {
    let world = World::new().await;
    tracked(&world, world.finn, &TrackRequest { scope: Some(vec![world.wedding_b]), ..track(Status::Busy) })
        .await;
    let busy = vec![(world.finn, "busy".to_owned())];
    let offline = vec![(world.finn, "offline".to_owned())];
    let finn = [world.finn];
    assert_eq!(statuses(&world, world.bea, &finn, None).await, busy);
    assert_eq!(statuses(&world, world.bea, &finn, Some(world.wedding_b)).await, busy);
    assert_eq!(statuses(&world, world.anna, &finn, None).await, offline);
    assert_eq!(statuses(&world, world.anna, &finn, Some(world.wedding_a)).await, offline);
    assert_eq!(statuses(&world, world.finn, &finn, Some(world.wedding_a)).await, offline);
    assert_eq!(statuses(&world, world.finn, &finn, None).await, busy, "one's own are all");
}

#[tokio::test]
async fn a_session_without_a_socket_begins_is_seen_and_ends() {
    let world = World::new().await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let answer = tracked(&world, world.finn, &track(Status::Away)).await;
    assert_eq!(answer["success"], true);
    answer["broadcastId"].as_str().expect("an id").parse::<Uuid>().expect("a UUID");
    anna.sees(world.wedding_a, world.finn, Status::Away).await;
    // The same session: one end takes it away.
    tracked(&world, world.finn, &track(Status::Away)).await;
    for _ in 0..2 {
        let ended = world.call(Method::DELETE, TRACK, world.finn).send().await.expect("an answer");
        assert_eq!(body(ended, StatusCode::OK).await, json!({ "success": true }));
    }
    let finn = [world.finn];
    assert_eq!(statuses(&world, world.anna, &finn, None).await, vec![(world.finn, "offline".to_owned())]);
    let seen = asked(&world, world.anna, &finn, None).await;
    assert!(seen[0]["lastSeen"].is_string(), "{seen}");
}

#[tokio::test]
async fn a_socket_may_be_tracked_by_its_session() {
    let world = World::new().await;
    let mut anna = world.enter(world.anna).await;
    anna.watch(world.wedding_a).await;
    let finn = world.enter(world.finn).await;
    let session = finn.replica.resume().expect("a session").session;
    let mut body_of = json!({ "status": "busy", "sessionId": session });
    let call = |user, body: &Value| world.call(Method::POST, TRACK, user).json(body).send();
    assert_eq!(call(world.finn, &body_of).await.expect("an answer").status(), StatusCode::OK);
    anna.sees(world.wedding_a, world.finn, Status::Busy).await;
    finn.close(1000).await;
    eventually("Finn is gone with his socket", async || {
        let seen = statuses(&world, world.anna, &[world.finn], None).await;
        (seen == [(world.finn, "offline".to_owned())]).then_some(())
    })
    .await;
    let _rosa = world.enter(world.rosa).await;
    let mut problems = Vec::new();
    for id in [json!(session), json!(Uuid::new_v4())] {
        body_of["sessionId"] = id;
        problems
            .push(body(call(world.rosa, &body_of).await.expect("an answer"), StatusCode::NOT_FOUND).await);
    }
    assert_eq!(problems[0]["code"], "unknown_session");
    assert_eq!(problems[0], problems[1], "somebody else's and nobody's");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let post = |body: &str| {
        let call = world.call(Method::POST, TRACK, world.finn);
        call.header("content-type", "application/json").body(body.to_owned()).send()
    };
    for (sent, code) in [
        (r#"{"status":"INVISIBLE"}"#.to_owned(), "malformed"),
        (r#"{"status":1}"#.to_owned(), "malformed"),
        (r#"{"status":" online "}"#.to_owned(), "malformed"),
        (r#"{"status":"online","colour":"red"}"#.to_owned(), "malformed"),
        (r#"{"status":"online","status":"busy"}"#.to_owned(), "malformed"),
        (r#"{"status":"online","sessionId":"x"}"#.to_owned(), "malformed"),
        (json!({ "status": "online", "customStatus": "x".repeat(101) }).to_string(), "invalid_value"),
        (json!({ "status": "online", "currentPage": "x".repeat(17_000) }).to_string(), "too_large"),
    ] {
        let answer = post(&sent).await.expect("an answer");
        assert!(answer.status().is_client_error(), "{sent:.80}");
        assert_eq!(answer.json::<Value>().await.expect("a problem")["code"], code, "{sent:.80}");
    }
    assert_eq!(
        statuses(&world, world.anna, &[world.finn], None).await,
        vec![(world.finn, "offline".to_owned())]
    );
}

/// 100 in a URL, 500 in a body, and not one more; one id many times counts as often.
#[tokio::test]
async fn so_many_may_be_asked_about() {
    let world = World::new().await;
    for (count, status) in [(100, StatusCode::OK), (101, StatusCode::UNPROCESSABLE_ENTITY)] {
        let ids = format!("&userIds[]={}", world.finn).repeat(count);
        let path = format!("/api/presence/users?{}", &ids[1..]);
        let answer = world.call(Method::GET, &path, world.anna).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{count}");
    }
    for (count, status) in [(500, StatusCode::OK), (501, StatusCode::UNPROCESSABLE_ENTITY)] {
        let ids: Vec<_> = (0..count).map(|_| UserId(Uuid::new_v4())).collect();
        let call = world.call(Method::POST, "/api/presence/users/query", world.anna);
        let answer = call.json(&json!({ "userIds": ids })).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{count}");
    }
    for path in [
        "/api/presence/users?userIds[]=x",
        "/api/presence/users?userIds[]=%zz",
        "/api/presence/users?userId=1",
        "/api/presence/users?context=room:1",
        "/api/presence/users/x",
        "/api/presence/weddings/x",
        "/api/presence/permissions",
    ] {
        let answer = world.call(Method::GET, path, world.anna).send().await.expect("an answer");
        assert_eq!(body(answer, StatusCode::BAD_REQUEST).await["code"], "malformed", "{path}");
    }
}

/// Rule by rule to the subject and the back-end; to who administers both, relations and no choice, whatever it is; to
/// others as if there were nobody.
#[tokio::test]
async fn why_is_told_to_whom_it_concerns() {
    let world = World::new().await;
    world.set(world.finn, visible_to(Visibility::Team)).await;
    let path = |viewer: UserId| format!("/api/presence/why?subject={}&viewer={viewer}", world.finn);
    let own = got(&world, world.finn, &path(world.vera)).await;
    assert_eq!(own["visible"], true);
    let rule = |why: &Value, name: &str| {
        let rules = why["rules"].as_array().expect("rules").iter();
        rules.clone().find(|rule| rule["rule"] == name).cloned().unwrap_or_else(|| panic!("{name} in {why}"))
    };
    assert_eq!(rule(&own, "visibility")["choice"], "team");
    assert_eq!(rule(&own, "organization_member")["holds"], true);
    assert_eq!(rule(&own, "wedding_collaborator")["channels"], json!([{ "channel": world.wedding_a }]));
    let of_anna = got(&world, world.finn, &path(world.anna)).await;
    assert_eq!(
        (&of_anna["visible"], &rule(&of_anna, "organization_member")["holds"]),
        (&json!(false), &json!(false))
    );
    let service = world.http.get(world.hub.url(&path(world.vera))).bearer_auth(crate::fixture::SERVICE_TOKEN);
    assert_eq!(body(service.send().await.expect("an answer"), StatusCode::OK).await, own);

    let to_olga = got(&world, world.olga, &path(world.vera)).await;
    assert_eq!(to_olga.get("visible"), None);
    assert_eq!(rule(&to_olga, "wedding_collaborator")["channels"], json!([]), "a wedding that is not hers");
    let shared = &rule(&to_olga, "organization_member")["channels"];
    assert_eq!(
        *shared,
        json!([{ "channel": world.agency, "subjectRole": "member", "viewerRole": "member" }])
    );
    for visibility in [Visibility::Everyone, Visibility::Contacts, Visibility::Nobody] {
        let hiding = SettingsPatch {
            appear_offline: Some(true),
            show_activity: Some(false),
            ..visible_to(visibility)
        };
        world.set(world.finn, hiding).await;
        assert_eq!(got(&world, world.olga, &path(world.vera)).await, to_olga, "{visibility:?}");
    }
    let mut problems = Vec::new();
    for (asker, path) in [
        (world.vera, path(world.vera)),
        (world.olga, path(world.anna)),
        (world.anna, path(world.anna)),
        (world.anna, format!("/api/presence/why?subject={}&viewer={}", Uuid::new_v4(), world.anna)),
    ] {
        let answer = world.call(Method::GET, &path, asker).send().await.expect("an answer");
        problems.push(body(answer, StatusCode::NOT_FOUND).await);
    }
    assert!(problems.iter().all(|problem| *problem == problems[0]), "{problems:?}");
}

#[tokio::test]
async fn the_history_of_settings_is_the_callers_own() {
    let world = World::new().await;
    for visibility in [Visibility::Team, Visibility::Nobody] {
        world.set(world.finn, visible_to(visibility)).await;
    }
    let history = got(&world, world.finn, "/api/presence/me/audit").await;
    let entries = history["entries"].as_array().expect("entries");
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["before"]["visibility"], "team", "the newest first: {history}");
    assert_eq!(entries[0]["after"]["visibility"], "nobody");
    assert!(entries[0]["at"].as_str().expect("a time") >= entries[1]["at"].as_str().expect("a time"));
    assert_eq!(got(&world, world.olga, "/api/presence/me/audit").await, json!({ "entries": [] }));
}

/// What it reads it reads as they would; what it changes is their change, made by another.
#[tokio::test]
async fn a_back_end_asks_as_a_user_and_that_is_written_down() {
    let world = World::new().await;
    tracked(&world, world.finn, &online()).await;
    let as_anna = |method: Method, path: &str| {
        let url = world.hub.url(&format!("{path}?actingUser={}", world.anna));
        world.http.request(method, url).bearer_auth(SERVICE_TOKEN)
    };
    let path = format!("/api/presence/users/{}", world.finn);
    let answer = as_anna(Method::GET, &path).send().await.expect("an answer");
    let request = answer.headers()["x-request-id"].to_str().expect("text").to_owned();
    assert_eq!(body(answer, StatusCode::OK).await, got(&world, world.anna, &path).await);
    let hide = json!({ "visibility": "nobody" });
    let answer = as_anna(Method::PUT, "/api/presence/settings").json(&hide).send().await.expect("an answer");
    body(answer, StatusCode::OK).await;
    let export = got(&world, world.anna, "/api/presence/me/export").await;
    assert!(export.to_string().contains(&format!("\"actor\":\"user:{}/service\"", world.anna)), "{export}");
    eventually("a line in the log", async || {
        let log = world.hub.log();
        let written = |line: &str| line.contains(&request) && line.contains(&world.anna.to_string());
        log.lines().any(written).then_some(())
    })
    .await;
    for (token, query) in [
        (token(world.finn).reveal().to_owned(), format!("?actingUser={}", world.anna)),
        (SERVICE_TOKEN.to_owned(), String::new()),
    ] {
        let call =
            world.http.get(world.hub.url(&format!("/api/presence/settings{query}"))).bearer_auth(token);
        let refused = body(call.send().await.expect("an answer"), StatusCode::UNAUTHORIZED).await;
        assert_eq!(refused["code"], "unauthorized");
    }
}
