use serde_json::json;
use uuid::Uuid;

use super::*;

#[test]
fn owners_and_admins_administer() {
    assert!(Role::Owner.administers() && Role::Admin.administers() && !Role::Member.administers());
}

#[test]
fn changes_are_read_as_the_platform_writes_them() {
    let id = Uuid::from_u128(1);
    let read = |value: serde_json::Value| serde_json::from_value::<DirectoryChange>(value);
    let put = read(json!({"change": "putUser", "id": id, "displayName": "Ada"})).unwrap();
    assert_eq!(put, DirectoryChange::PutUser { id: UserId(id), display_name: "Ada".into(), disabled: false });
    let put = read(json!({"change": "putOrganization", "id": id, "name": "A"})).unwrap();
    assert_eq!(
        put,
        DirectoryChange::PutOrganization { id: OrganizationId(id), name: "A".into(), plan: Plan::Standard }
    );
    for refused in [
        json!({"change": "dropUser", "id": id}),
        json!({"change": "putUser", "id": id}),
        json!({"change": "removeUser", "id": id, "really": true}),
        json!({"change": "putMember", "organization": id, "user": id, "role": "Owner"}),
        json!({"id": id}),
    ] {
        assert!(read(refused.clone()).is_err(), "{refused}");
    }
    let change = json!({"change": "putCollaboration", "wedding": id, "supplier": id, "client": id, "supplierType": "venue"});
    assert_eq!(serde_json::to_value(read(change.clone()).unwrap()).unwrap(), change);
}
