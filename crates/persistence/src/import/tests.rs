use uuid::Uuid;

use super::*;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn sample() -> String {
    format!(
        r#"{{
        "users": [{{"id":"{u1}","displayName":"Ada"}}, {{"id":"{u2}","displayName":"Bo","disabled":true}}],
        "organizations": [
            {{"id":"{o1}","name":"Small"}},
            {{"id":"{o2}","name":"Agency","plan":"enterprise",
              "members":[{{"user":"{u1}","role":"owner"}},{{"user":"{u2}","role":"member"}}],
              "accounts":[{{"id":"{a1}","name":"Inbox"}},{{"id":"{a2}","name":"Shop"}}]}}],
        "weddings": [{{"id":"{w1}","name":"June",
              "collaborations":[{{"supplier":"{u1}","client":"{u2}","supplierType":"florist"}}]}}]
        }}"#,
        u1 = id(1),
        u2 = id(2),
        o1 = id(11),
        o2 = id(12),
        a1 = id(21),
        a2 = id(22),
        w1 = id(31),
    )
}

#[test]
fn a_document_becomes_changes_in_an_order_that_works() {
    let changes = parse(&sample()).unwrap();
    let (u1, u2) = (UserId(id(1)), UserId(id(2)));
    let (o1, o2, wedding) = (OrganizationId(id(11)), OrganizationId(id(12)), WeddingId(id(31)));
    let account = |n, name: &str| DirectoryChange::PutAccount {
        id: AccountId(id(n)),
        organization: o2,
        name: name.into(),
    };
    assert_eq!(
        changes,
        [
            DirectoryChange::PutUser { id: u1, display_name: "Ada".into(), disabled: false },
            DirectoryChange::PutUser { id: u2, display_name: "Bo".into(), disabled: true },
            DirectoryChange::PutOrganization { id: o1, name: "Small".into(), plan: Plan::Standard },
            DirectoryChange::PutOrganization { id: o2, name: "Agency".into(), plan: Plan::Enterprise },
            DirectoryChange::PutMember { organization: o2, user: u1, role: Role::Owner },
            DirectoryChange::PutMember { organization: o2, user: u2, role: Role::Member },
            account(21, "Inbox"),
            account(22, "Shop"),
            DirectoryChange::PutWedding { id: wedding, name: "June".into() },
            DirectoryChange::PutCollaboration {
                wedding,
                supplier: u1,
                client: u2,
                supplier_type: "florist".into()
            },
        ]
    );
}

#[test]
fn every_change_has_its_place() {
    let changes = parse(&sample()).unwrap();
    let places: Vec<_> = (0..=changes.len()).map(|index| place(&changes, index)).collect();
    let expected = [
        "users[0]",
        "users[1]",
        "organizations[0]",
        "organizations[1]",
        "organizations[1].members[0]",
        "organizations[1].members[1]",
        "organizations[1].accounts[0]",
        "organizations[1].accounts[1]",
        "weddings[0]",
        "weddings[0].collaborations[0]",
    ];
    let expected: Vec<_> = expected.iter().map(|place| Some((*place).to_owned())).chain([None]).collect();
    assert_eq!(places, expected);
    assert_eq!(place(&[DirectoryChange::RemoveUser { id: UserId(id(1)) }], 0), None);
    assert_eq!(place(&changes[4..], 0), None);
}

#[test]
fn empty_documents_change_nothing() {
    for document in ["{}", r#"{"users":[],"organizations":[],"weddings":[]}"#] {
        assert_eq!(parse(document).unwrap(), []);
    }
}

#[test]
fn errors_name_the_place() {
    let table = [
        (sample().replace("\"displayName\":\"Bo\"", "\"name\":\"Bo\""), "users[1]: unknown field `name`"),
        (sample().replace("\"owner\"", "\"king\""), "organizations[1].members[0]: unknown variant `king`"),
        (
            sample().replace("\"owner\"", r#"{"owner":null}"#),
            "organizations[1].members[0]: the field `role` is no object",
        ),
        (
            sample().replace("\"enterprise\"", r#"{"enterprise":null}"#),
            "organizations[1]: the field `plan` is no object",
        ),
        (sample().replace("\"Shop\"", "7"), "organizations[1].accounts[1]: invalid type"),
        (sample().replace("\"plan\"", "\"tier\""), "organizations[1]: unknown field `tier`"),
        (sample().replace("\"name\":\"June\",", ""), "weddings[0]: missing field `name`"),
        (
            sample().replace("supplierType", "supplier_type"),
            "weddings[0].collaborations[0]: unknown field `supplier_type`",
        ),
        (sample().replace("\"users\"", "\"people\""), "the document: unknown field `people`"),
        ("[1]".into(), "the document: invalid type: sequence"),
        ("[]".into(), "the document: invalid type: sequence"),
        (format!(r#"{{"users":[["{}","Bo",false]]}}"#, id(1)), "users[0]: invalid type: sequence"),
        ("{\n\"users\": [}".into(), "not JSON: expected value at line 2"),
        (
            sample().replace("\"Bo\"", "\"Bo\",\"displayName\":\"Bob\""),
            "not JSON: the field \"displayName\" is there twice",
        ),
    ];
    for (document, expected) in table {
        let error = parse(&document).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
