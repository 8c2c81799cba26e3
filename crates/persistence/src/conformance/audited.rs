//! The audit, as the owners and admins of an organization read it.

use model::{DirectoryChange, OrganizationId, Role, Wall};
use serde_json::{Value, json};

use super::{
    Shared, account, change, change_status,
    clocked::{clear, code, hold, mint, put_agency, revocation},
    exported::exported,
    organization, put_account, put_member, put_user, remove_user, status, user,
};
use crate::{
    ExportPart, ForceClear, Principal, SettingsChange,
    audited::{self, AuditEntry},
};

/// Later than anything that is stored.
const LATER: Wall = Wall(4_000_000_000_000);

async fn all(store: &Shared, n: u128) -> Vec<AuditEntry> {
    store.audit(organization(n), LATER, 1_000).await.expect("the store can be read")
}

/// The kind of an entry, who made it, and what happened: of the directory, which changes concern the organization.
fn told(entry: &AuditEntry, of: OrganizationId) -> Value {
    let event = match entry.kind.as_str() {
        "directory" => {
            let changes = audited::concerning(&entry.after, of);
            changes.iter().map(|change| change["change"].clone()).collect()
        }
        _ => entry.after["event"].clone(),
    };
    json!([entry.kind, entry.actor, event])
}

fn by_back_end(n: u128) -> Principal {
    Principal { user: user(n), by_back_end: true }
}

/// Newest first, as many and as old as asked for; nothing of other organizations, and nothing of anybody's settings.
pub async fn an_organization_reads_what_concerns_it(store: Shared) {
    put_agency(&store).await;
    let before = all(&store, 1).await.len();
    hold(&store, 2, 1).await;
    store.force_clear(ForceClear { by: by_back_end(7), ..clear(7, 1) }).await.unwrap();
    store.revoke_code(revocation(1, 5, false)).await.unwrap();
    change_status(&store, 1, "private").await.unwrap();
    store.change_directory(changes(), Wall(LATER.0 - 1), crate::Actor::Service).await.unwrap();

    let (entries, one, two) = (all(&store, 1).await, organization(1), organization(2));
    let (owner, own) = (format!("user:{}", user(1)), format!("user:{}", user(2)));
    let expected = [
        json!(["directory", "service", ["putMember", "removeAccount", "removeUser"]]),
        json!(["access_code", owner, "revoked"]),
        json!(["occupancy", format!("user:{}/service", user(7)), "force_cleared"]),
        json!(["occupancy", own, "clocked_in"]),
    ];
    let shown: Vec<_> = entries.iter().map(|entry| told(entry, one)).collect();
    assert_eq!(shown[..entries.len() - before], expected);
    assert!(shown[4..].iter().all(|entry| entry[0] == "access_code" || entry[0] == "directory"), "{shown:?}");
    assert_eq!(told(&all(&store, 2).await[0], two), json!(["directory", "service", ["putAccount"]]));
    pages(&store, &entries).await;
}

/// In this order: a member who is put and stays, an account and a user who go, and what another organization has.
fn changes() -> Vec<DirectoryChange> {
    vec![
        put_user(20),
        put_member(1, 20, Role::Member),
        DirectoryChange::RemoveAccount { id: account(4) },
        remove_user(6),
        put_account(30, 2),
    ]
}

async fn pages(store: &Shared, entries: &[AuditEntry]) {
    assert!(entries.is_sorted_by(|one, next| one.at >= next.at));
    assert_eq!(store.audit(organization(1), LATER, 3).await.unwrap(), entries[..3]);
    let until = entries[3].at;
    let older: Vec<_> = entries.iter().filter(|entry| entry.at <= until).cloned().collect();
    assert_eq!(store.audit(organization(1), until, 1_000).await.unwrap(), older);
}

/// In the audit of settings and of codes, and to those whom it is about.
pub async fn a_back_end_is_told_from_its_user(store: Shared) {
    put_agency(&store).await;
    let by = by_back_end(1);
    mint(&store, crate::NewCode { by, ..code(40, 2) }).await;
    let patch = status("by the platform");
    store.change_settings(SettingsChange { by_back_end: true, ..change(2, patch) }).await.unwrap();
    let minted = &all(&store, 1).await[0];
    assert_eq!(
        told(minted, organization(1)),
        json!(["access_code", format!("user:{}/service", user(1)), "minted"])
    );
    let own = exported(&store, 2, ExportPart::Audit).await;
    let actors: Vec<_> = own.iter().map(|row| [&row["kind"], &row["actor"]]).collect();
    let as_them = json!(format!("user:{}/service", user(2)));
    assert!(actors.contains(&[&json!("settings"), &as_them]), "{actors:?}");
    let text = serde_json::to_string(&own).unwrap();
    assert!(!text.contains(&user(1).to_string()), "the export names another: {text}");
}
