//! What is read out of a person: all of it, and of others nothing.

use model::WeddingId;
use persistence::{EXPORT_ROWS, ExportPart, OperationId, Person, Upkeep};
use serde_json::{Value, json};

use super::{
    office::{HOUR_MS, OFFICE, put_office, stretch, view},
    *,
};

const WEDDING: WeddingId = WeddingId(Uuid::from_u128(8));

fn collaboration(supplier: u128, client: u128) -> DirectoryChange {
    DirectoryChange::PutCollaboration {
        wedding: WEDDING,
        supplier: user(supplier),
        client: user(client),
        supplier_type: "florist".into(),
    }
}

/// Two who have everything that there is.
async fn put_lives(store: &SqliteStore) {
    put_office(store, 3).await;
    let wedding = DirectoryChange::PutWedding { id: WEDDING, name: "June".into() };
    put(store, vec![wedding, collaboration(1, 2), collaboration(3, 2)]).await;
    store.change_directory(vec![put_user(3, "Cy")], Wall(3), Actor::User(user(1))).await.unwrap();
    for n in [1, 2] {
        let operation = Some(OperationId(Uuid::from_u128(90 + n)));
        store.change_settings(SettingsChange { operation, ..hide(n) }).await.unwrap();
        let seen = LastSeen {
            user: user(n),
            at: Wall(5),
            page: None,
            device: None,
            activity: None,
            session_minutes: 4,
        };
        store.write_last_seen(&[seen]).await.unwrap();
        store.write_activity(&[view(n, 7), view(n, HOUR_MS)]).await.unwrap();
        store.write_stretches(&[stretch(n, 7)]).await.unwrap();
    }
    store.roll_up(100).await.unwrap();
}

async fn rows(store: &SqliteStore, n: u128, part: ExportPart) -> Vec<Value> {
    let page = store.export_page(user(n), part, None).await.unwrap();
    assert_eq!(page.next, None);
    page.rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

/// Every part has its rows, and in none of them is the id of anybody else.
#[tokio::test]
async fn an_export_is_whole_and_of_one_person() {
    let (_folder, store) = open_new().await;
    put_lives(&store).await;
    use ExportPart as Part;
    for (part, expected) in [
        (Part::User, 1),
        (Part::Memberships, 1),
        (Part::Collaborations, 1),
        (Part::Settings, 1),
        (Part::LastSeen, 1),
        (Part::Activity, 2),
        (Part::Sessions, 1),
        (Part::Rollups, 5),
        (Part::Pages, 2),
        (Part::Occupancy, 0),
        (Part::AccessCodes, 0),
        (Part::Operations, 1),
        (Part::Audit, 4),
    ] {
        let found = rows(&store, 1, part).await;
        assert_eq!(found.len(), expected, "{part:?}: {found:?}");
        let text = serde_json::to_string(&found).unwrap();
        let others = [2, 3].map(|n| text.contains(&user(n).to_string()));
        assert_eq!(others, [false, false], "{part:?}: {text}");
    }
}

/// Of a transaction of the directory the changes that name them, and that they made others; and their settings.
#[tokio::test]
async fn the_audit_is_cut_to_the_person() {
    let (_folder, store) = open_new().await;
    put_lives(&store).await;
    let audit = rows(&store, 2, ExportPart::Audit).await;
    let kinds: Vec<_> = audit.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["directory", "directory", "settings"]);
    let named = json!({ "change": "putUser", "disabled": false, "id": user(2) });
    let member = json!({ "change": "putMember", "organization": OFFICE, "role": "member", "user": user(2) });
    assert_eq!(audit[0]["after_json"], json!([named, member]));
    let client = json!({ "change": "putCollaboration", "client": user(2), "wedding": WEDDING });
    assert_eq!(audit[1]["after_json"], json!([client, client]), "what is supplied is the supplier's own");
    assert_eq!(audit[2]["actor"], format!("user:{}", user(2)));
    assert_eq!(audit[2]["after_json"]["customStatus"], "Secret plans");
    let made = rows(&store, 1, ExportPart::Audit).await;
    assert_eq!((&made[2]["at"], &made[2]["after_json"]), (&json!("1970-01-01T00:00:00.003Z"), &json!([])));
    assert_eq!(rows(&store, 3, ExportPart::Audit).await[2]["actor"], "user", "another user");
}

/// Page by page, each row once, in every part that can have many.
#[tokio::test]
async fn pages_go_on_where_they_ended() {
    let (_folder, store) = open_new().await;
    put_office(&store, 1).await;
    let many = EXPORT_ROWS as i64 * 2 + 7;
    let activity: Vec<_> = (0..many).map(|n| view(1, 1 + n / 3 * 450_000)).collect();
    for batch in activity.chunks(persistence::BATCH_ROWS) {
        store.write_activity(batch).await.unwrap();
    }
    let stretches: Vec<_> = (0..many).map(|n| stretch(1, 1 + n / 2)).collect();
    for batch in stretches.chunks(persistence::BATCH_ROWS) {
        store.write_stretches(batch).await.unwrap();
    }
    while store.roll_up(100).await.unwrap().more {}
    let quarters = (many - 1) / 3 / 2 + 1;
    use ExportPart::{Activity, Pages, Rollups, Sessions};
    for (part, expected) in [(Activity, many), (Sessions, many), (Rollups, quarters), (Pages, quarters)] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.export_page(user(1), part, after).await.unwrap();
            found.extend(page.rows);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found.len() as i64, expected, "{part:?}");
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len() as i64, expected, "{part:?}: none twice");
    }
}
