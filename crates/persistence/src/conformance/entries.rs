//! The audit of holds and codes, as far as the one whom it is about may read it.

use std::time::Duration;

use model::{CleanText, Hold, Role, limits};
use serde_json::{Value, json};

use super::{
    Shared,
    clocked::{HOUR, clear, clock_in, code, code_id, hold, listed, mint, put_agency, revocation},
    exported::{exported, utc},
    organization, put, put_member, user,
};
use crate::{ExportPart, ForceClear, Sign};

const MINUTE: Duration = Duration::from_secs(60);

/// The entries of one kind that are about a user. A store may give the changes of an entry as a list.
async fn entries(store: &Shared, n: u128, kind: &str) -> Vec<Value> {
    let change = |side: &Value| side.get(0).unwrap_or(side).clone();
    let entry = |row: &Value| {
        let actor = row["actor"].as_str().filter(|actor| *actor != "user");
        assert_eq!(row["organization_id"], json!(organization(1)), "{row}");
        json!([actor, change(&row["before_json"]), change(&row["after_json"])])
    };
    let rows = exported(store, n, ExportPart::Audit).await;
    rows.iter().filter(|row| row["kind"] == kind).map(entry).collect()
}

fn fields(hold: Hold) -> Value {
    json!({ "account": hold.account, "user": hold.user, "epoch": hold.epoch })
}

/// By whom, unless it was another person; what it was before; what it is, and what made it so.
fn entry(actor: Option<&str>, event: &str, before: Option<Hold>, hold: Hold) -> Value {
    let mut after = fields(hold);
    after["event"] = event.into();
    json!([actor, before.map(fields), after])
}

/// Whoever changes a hold, and however: one entry each, in the order in which it happened.
pub async fn every_change_of_a_hold_has_its_entry(store: Shared) {
    put_agency(&store).await;
    let first = hold(&store, 2, 1).await;
    clock_in(&store, 2, 1).await.unwrap();
    let moved = hold(&store, 2, 2).await;
    store.mark_stale(Duration::ZERO).await.unwrap();
    let sign = [Sign { hold: moved, heard: Duration::ZERO, active: None }];
    store.write_signs(&sign, MINUTE, HOUR).await.unwrap();
    store.write_signs(&sign, MINUTE, Duration::ZERO).await.unwrap();
    let cleared = hold(&store, 2, 1).await;
    let reason = CleanText::parse("Gone home", "reason", limits::REASON_CHARS).unwrap();
    store.force_clear(ForceClear { reason, ..clear(7, 1) }).await.unwrap();
    let left = hold(&store, 2, 1).await;
    store.clock_out(left, None).await.unwrap();
    let revoked = hold(&store, 2, 1).await;
    store.revoke_code(revocation(1, 2, true)).await.unwrap();
    mint(&store, code(20, 2)).await;
    let removed = hold(&store, 20, 1).await;
    put(&store, vec![model::DirectoryChange::RemoveMember { organization: organization(1), user: user(2) }])
        .await;
    put(&store, vec![put_member(1, 2, Role::Member)]).await;

    let (own, another) = (user(2).to_string(), None);
    let own = format!("user:{own}");
    let by_self = |event, before, hold| entry(Some(&own), event, before, hold);
    let by_hub = |event| entry(Some("hub"), event, Some(moved), moved);
    let mut by_force = entry(another, "force_cleared", Some(cleared), cleared);
    by_force[2]["reason"] = "Gone home".into();
    let expected = [
        by_self("clocked_in", None, first),
        by_self("moved", Some(first), moved),
        by_hub("stale"),
        by_hub("returned"),
        by_hub("inactive"),
        by_self("clocked_in", None, cleared),
        by_force,
        by_self("clocked_in", None, left),
        by_self("clocked_out", Some(left), left),
        by_self("clocked_in", None, revoked),
        entry(another, "code_revoked", Some(revoked), revoked),
        by_self("clocked_in", None, removed),
        entry(Some("service"), "removed", Some(removed), removed),
    ];
    assert_eq!(entries(&store, 2, "occupancy").await, expected);
}

/// Made and revoked; once each.
pub async fn every_change_of_a_code_has_its_entry(store: Shared) {
    put_agency(&store).await;
    for clock_out in [false, true] {
        store.revoke_code(revocation(1, 2, clock_out)).await.unwrap();
    }
    let code = json!({ "code": code_id(2), "user": user(2) });
    let (mut minted, mut revoked) = (code.clone(), code.clone());
    minted["event"] = "minted".into();
    minted["expiresAt"] = utc(listed(&store, 2).await.expires_at).into();
    revoked["event"] = "revoked".into();
    let expected = [json!([null, null, minted]), json!([null, code, revoked])];
    assert_eq!(entries(&store, 2, "access_code").await, expected);
}
