//! The table of the routes.

use serde_json::{Value, json};

use super::{Whose, town::Town};

/// What is asked: the path with its query, and the body.
pub(super) struct Ask {
    pub(super) path: String,
    pub(super) body: Option<Value>,
}

/// A route, how it is asked about somebody's, and what each caller is answered: nobody, user, stranger, assistant, admin,
/// service; about their own, shared, foreign, unknown.
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    pub(super) ask: fn(&Town, Whose) -> Ask,
    pub(super) answers: [&'static str; 6],
}

const NO: &str = "unauthorized";
/// Whoever has no service token.
const BACK_END: [&str; 6] = [NO, NO, NO, NO, NO, "204"];

fn get(path: String) -> Ask {
    Ask { path, body: None }
}

fn send(path: impl Into<String>, body: Value) -> Ask {
    Ask { path: path.into(), body: Some(body) }
}

const fn row(
    method: &'static str,
    route: &'static str,
    ask: fn(&Town, Whose) -> Ask,
    answers: [&'static str; 6],
) -> Row {
    Row { method, route, ask, answers }
}

fn of_organization(route: &str, town: &Town, whose: Whose) -> Ask {
    get(format!("{route}?organizationId={}", town.organization(whose)))
}

/// Of an office: the user is a member, the admin is none of the second organization.
const OFFICE: [&str; 6] = [
    NO,
    "forbidden forbidden unknown_channel unknown_channel",
    "unknown_channel unknown_channel 200 unknown_channel",
    NO,
    "200 unknown_channel unknown_channel unknown_channel",
    NO,
];

/// Those who are in an organization, whatever their role.
const IN_AN_ORGANIZATION: [&str; 6] = [
    NO,
    "200 200 unknown_channel unknown_channel",
    "unknown_channel unknown_channel 200 unknown_channel",
    NO,
    "200 unknown_channel unknown_channel unknown_channel",
    NO,
];

/// Those who take part in a wedding.
const AT_A_WEDDING: [&str; 6] = [
    NO,
    "200 200 unknown_channel unknown_channel",
    "unknown_channel unknown_channel 200 unknown_channel",
    NO,
    "unknown_channel",
    NO,
];

/// What everybody has of their own.
const EVERY_USER: [&str; 6] = [NO, "200", "200", NO, "200", NO];

pub(super) const ROWS: &[Row] = &[
    row("GET", "/livez", |_, _| get("/livez".into()), ["200"; 6]),
    row("GET", "/ws", |_, _| get("/ws".into()), ["upgrade_required"; 6]),
    // Of the hub itself, which none of the callers runs.
    row(
        "GET",
        "/api/system",
        |_, _| get("/api/system".into()),
        [NO, "forbidden", "forbidden", NO, "forbidden", "200"],
    ),
    row("GET", "/api/openapi.json", |_, _| get("/api/openapi.json".into()), ["200"; 6]),
    // People.
    row(
        "GET",
        "/api/presence/users",
        |town, whose| get(format!("/api/presence/users?userIds[]={}", town.person(whose))),
        EVERY_USER,
    ),
    row(
        "GET",
        "/api/presence/users",
        |town, whose| {
            let (user, wedding) = (town.user, town.wedding(whose));
            get(format!("/api/presence/users?userIds[]={user}&context=wedding:{wedding}"))
        },
        AT_A_WEDDING,
    ),
    row(
        "POST",
        "/api/presence/users/query",
        |town, whose| send("/api/presence/users/query", json!({ "userIds": [town.person(whose)] })),
        EVERY_USER,
    ),
    row(
        "GET",
        "/api/presence/users/{user}",
        |town, whose| get(format!("/api/presence/users/{}", town.person(whose))),
        [
            NO,
            "200 200 unknown_user unknown_user",
            "unknown_user unknown_user 200 unknown_user",
            NO,
            // An office is no relation: the settings of who never chose show them to those whom they work with.
            "unknown_user",
            NO,
        ],
    ),
    row(
        "GET",
        "/api/presence/weddings/{wedding}",
        |town, whose| get(format!("/api/presence/weddings/{}", town.wedding(whose))),
        AT_A_WEDDING,
    ),
    row(
        "GET",
        "/api/presence/permissions",
        |town, whose| get(format!("/api/presence/permissions?subject={}", town.person(whose))),
        EVERY_USER,
    ),
    row(
        "GET",
        "/api/presence/why",
        |town, whose| {
            let (subject, viewer) = (town.person(whose), town.mate);
            get(format!("/api/presence/why?subject={subject}&viewer={viewer}"))
        },
        [
            NO,
            "200 unknown_user unknown_user unknown_user",
            // Of themselves: nobody but a subject is told, whoever the viewer is.
            "unknown_user unknown_user 200 unknown_user",
            NO,
            "200 200 unknown_user unknown_user",
            "200 200 200 unknown_user",
        ],
    ),
    // The caller's own.
    row(
        "POST",
        "/api/presence/track",
        |town, whose| {
            let scope = [format!("wedding:{}", town.wedding(whose))];
            send("/api/presence/track", json!({ "status": "online", "in": scope }))
        },
        // A scope only takes away: what is not the caller's own says nothing, and is not looked at.
        EVERY_USER,
    ),
    row("DELETE", "/api/presence/track", |_, _| get("/api/presence/track".into()), EVERY_USER),
    row("GET", "/api/presence/settings", |_, _| get("/api/presence/settings".into()), EVERY_USER),
    row(
        "PUT",
        "/api/presence/settings",
        |_, _| send("/api/presence/settings", json!({ "visibility": "nobody" })),
        EVERY_USER,
    ),
    row("GET", "/api/presence/me/channels", |_, _| get("/api/presence/me/channels".into()), EVERY_USER),
    row(
        "GET",
        "/api/presence/me/names",
        |town, whose| {
            get(format!("/api/presence/me/names?channel=organization:{}", town.organization(whose)))
        },
        IN_AN_ORGANIZATION,
    ),
    row(
        "GET",
        "/api/presence/me/names",
        |town, whose| get(format!("/api/presence/me/names?channel=wedding:{}", town.wedding(whose))),
        AT_A_WEDDING,
    ),
    // Of an account there are no names, whoever's it is.
    row(
        "GET",
        "/api/presence/me/names",
        |town, whose| get(format!("/api/presence/me/names?channel=account:{}", town.account(whose))),
        [NO, "unknown_channel", "unknown_channel", NO, "unknown_channel", NO],
    ),
    row("GET", "/api/presence/me/audit", |_, _| get("/api/presence/me/audit".into()), EVERY_USER),
    row("GET", "/api/presence/me/export", |_, _| get("/api/presence/me/export".into()), EVERY_USER),
    row("DELETE", "/api/presence/me", |_, _| get("/api/presence/me".into()), EVERY_USER),
    // What is done, and what is told of it.
    row(
        "POST",
        "/api/presence/activity",
        |town, whose| {
            let body = json!({ "activityType": "focus", "organizationId": town.organization(whose) });
            send("/api/presence/activity", body)
        },
        [
            NO,
            "202 202 unknown_channel unknown_channel",
            "unknown_channel unknown_channel 202 unknown_channel",
            NO,
            "202 unknown_channel unknown_channel unknown_channel",
            NO,
        ],
    ),
    row(
        "GET",
        "/api/presence/analytics",
        |town, whose| {
            let organization = town.organization(whose);
            get(format!(
                "/api/presence/analytics?organizationId={organization}&from=2026-01-01&to=2026-01-31"
            ))
        },
        OFFICE,
    ),
    row(
        "GET",
        "/api/presence/audit",
        |town, whose| of_organization("/api/presence/audit", town, whose),
        OFFICE,
    ),
    // Accounts.
    row(
        "GET",
        "/api/presence/accounts",
        |town, whose| of_organization("/api/presence/accounts", town, whose),
        IN_AN_ORGANIZATION,
    ),
    row(
        "DELETE",
        "/api/presence/accounts/{account}",
        |town, whose| get(format!("/api/presence/accounts/{}", town.account(whose))),
        [
            NO,
            "forbidden forbidden unknown_channel unknown_channel",
            "unknown_channel unknown_channel not_held unknown_channel",
            NO,
            "200 not_held unknown_channel unknown_channel",
            NO,
        ],
    ),
    row("GET", "/api/access-codes", |town, whose| of_organization("/api/access-codes", town, whose), OFFICE),
    row(
        "POST",
        "/api/access-codes",
        |town, whose| {
            let user = if whose == Whose::Foreign { town.stranger } else { town.mate };
            let body = json!({ "organizationId": town.organization(whose), "userId": user });
            send("/api/access-codes", body)
        },
        [
            NO,
            "forbidden forbidden unknown_channel unknown_channel",
            "unknown_channel unknown_channel 201 unknown_channel",
            NO,
            "201 unknown_channel unknown_channel unknown_channel",
            NO,
        ],
    ),
    row(
        "DELETE",
        "/api/access-codes/{code}",
        |town, whose| get(format!("/api/access-codes/{}?clockOut=true", town.code(whose))),
        [
            NO,
            "forbidden forbidden unknown_channel unknown_channel",
            "unknown_channel unknown_channel 200 unknown_channel",
            NO,
            "200 200 unknown_channel unknown_channel",
            NO,
        ],
    ),
    // The code is what opens, whoever sends it.
    row(
        "POST",
        "/api/access-codes/validate",
        |town, whose| send("/api/access-codes/validate", town.clock_in(whose)),
        ["200 200 unknown_channel invalid_code"; 6],
    ),
    row(
        "POST",
        "/api/access-codes/logout",
        |town, whose| {
            let body = json!({ "accountId": town.account(whose), "epoch": town.held["epoch"] });
            send("/api/access-codes/logout", body)
        },
        [NO, NO, NO, "200 not_held not_held not_held", NO, NO],
    ),
    // The directory and the jobs are the back-end's.
    row(
        "POST",
        "/api/directory/changes",
        |town, whose| {
            let change = json!({ "change": "putUser", "id": town.person(whose), "displayName": "X" });
            send("/api/directory/changes", json!([change]))
        },
        BACK_END,
    ),
    row(
        "POST",
        "/api/directory/import",
        |_, _| send("/api/directory/import", json!({ "users": [] })),
        BACK_END,
    ),
    row(
        "PUT",
        "/api/directory/users/{user}",
        |town, whose| {
            let path = format!("/api/directory/users/{}", town.person(whose));
            send(path, json!({ "displayName": "X" }))
        },
        BACK_END,
    ),
    row(
        "DELETE",
        "/api/directory/users/{user}",
        |town, whose| get(format!("/api/directory/users/{}", town.person(whose))),
        BACK_END,
    ),
    row(
        "PUT",
        "/api/directory/organizations/{organization}",
        |town, whose| {
            let path = format!("/api/directory/organizations/{}", town.organization(whose));
            send(path, json!({ "name": "X" }))
        },
        BACK_END,
    ),
    row(
        "DELETE",
        "/api/directory/organizations/{organization}",
        |town, whose| get(format!("/api/directory/organizations/{}", town.organization(whose))),
        BACK_END,
    ),
    row(
        "PUT",
        "/api/directory/organizations/{organization}/members/{user}",
        |town, whose| send(member(town, whose), json!({ "role": "member" })),
        [NO, NO, NO, NO, NO, "204 204 204 invalid_value"],
    ),
    row(
        "DELETE",
        "/api/directory/organizations/{organization}/members/{user}",
        |town, whose| get(member(town, whose)),
        BACK_END,
    ),
    row(
        "PUT",
        "/api/directory/weddings/{wedding}",
        |town, whose| {
            send(format!("/api/directory/weddings/{}", town.wedding(whose)), json!({ "name": "X" }))
        },
        BACK_END,
    ),
    row(
        "DELETE",
        "/api/directory/weddings/{wedding}",
        |town, whose| get(format!("/api/directory/weddings/{}", town.wedding(whose))),
        BACK_END,
    ),
    row(
        "PUT",
        "/api/directory/weddings/{wedding}/collaborations/{supplier}/{client}",
        |town, whose| send(collaboration(town, whose), json!({ "supplierType": "venue" })),
        [NO, NO, NO, NO, NO, "204 204 204 invalid_value"],
    ),
    row(
        "DELETE",
        "/api/directory/weddings/{wedding}/collaborations/{supplier}/{client}",
        |town, whose| get(collaboration(town, whose)),
        BACK_END,
    ),
    row(
        "PUT",
        "/api/directory/accounts/{account}",
        |town, whose| {
            let path = format!("/api/directory/accounts/{}", town.account(whose));
            send(path, json!({ "organization": town.organization(Whose::Own), "name": "X" }))
        },
        BACK_END,
    ),
    row(
        "DELETE",
        "/api/directory/accounts/{account}",
        |town, whose| get(format!("/api/directory/accounts/{}", town.account(whose))),
        BACK_END,
    ),
    row("GET", "/api/jobs", |_, _| get("/api/jobs".into()), [NO, NO, NO, NO, NO, "200"]),
    row(
        "POST",
        "/api/jobs/{name}",
        |_, whose| {
            let name = if whose == Whose::Unknown { "no-such-job" } else { "expire" };
            send(format!("/api/jobs/{name}"), json!({}))
        },
        [NO, NO, NO, NO, NO, "200 200 200 no_job"],
    ),
    row(
        "GET",
        "/api/jobs/runs/{run}",
        |town, whose| get(format!("/api/jobs/runs/{}", town.account(whose))),
        [NO, NO, NO, NO, NO, "no_job"],
    ),
];

fn member(town: &Town, whose: Whose) -> String {
    let organization = town.organization(whose);
    format!("/api/directory/organizations/{organization}/members/{}", town.assistant)
}

fn collaboration(town: &Town, whose: Whose) -> String {
    let (wedding, supplier, client) = (town.wedding(whose), town.assistant, town.client());
    format!("/api/directory/weddings/{wedding}/collaborations/{supplier}/{client}")
}
