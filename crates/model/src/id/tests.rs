use super::*;

const ID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

#[test]
fn a_channel_has_one_name() {
    let id: Uuid = ID.parse().unwrap();
    for (name, channel) in [
        ("wedding", ChannelId::Wedding(WeddingId(id))),
        ("organization", ChannelId::Organization(OrganizationId(id))),
        ("account", ChannelId::Account(AccountId(id))),
    ] {
        let text = format!("{name}:{ID}");
        assert_eq!(text.parse(), Ok(channel));
        assert_eq!(channel.to_string(), text);
        assert_eq!(serde_json::to_string(&channel).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<ChannelId>(&format!("\"{text}\"")).unwrap(), channel);
    }
}

#[test]
fn what_names_no_channel_is_refused() {
    let simple = ID.replace('-', "");
    for text in [
        String::new(),
        "wedding".into(),
        "wedding:".into(),
        ID.into(),
        format!(":{ID}"),
        format!("Wedding:{ID}"),
        format!("user:{ID}"),
        format!("wedding:{simple}"),
        format!("wedding:{{{ID}}}"),
        format!("wedding:urn:uuid:{ID}"),
        format!("wedding: {ID}"),
        format!("wedding:{ID} "),
        format!("wedding:{}x", &ID[..35]),
        format!("wedding:{ID}:{ID}"),
    ] {
        assert_eq!(text.parse::<ChannelId>(), Err(ChannelIdError), "{text:?}");
        assert!(serde_json::from_value::<ChannelId>(text.into()).is_err());
    }
    assert!(serde_json::from_str::<ChannelId>("7").is_err());
    assert!(ChannelIdError.to_string().starts_with("a channel is wedding:<uuid>"));
}

/// Capital letters are read, as UUIDs allow; what is written has one form.
#[test]
fn ids_are_written_in_one_form() {
    let upper = ID.to_uppercase();
    let id: UserId = upper.parse().unwrap();
    assert_eq!(id.to_string(), ID);
    assert_eq!(format!("{id:?}"), format!("UserId({ID})"));
    assert_eq!(format!("wedding:{upper}").parse::<ChannelId>().unwrap().to_string(), format!("wedding:{ID}"));
    assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{ID}\""));
    assert!("nobody".parse::<UserId>().is_err());
}

#[test]
fn people_come_before_accounts_in_lists() {
    let (low, high) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let mut entries =
        [EntryId::Account(AccountId(low)), EntryId::Person(UserId(high)), EntryId::Person(UserId(low))];
    entries.sort();
    assert_eq!(entries[0], EntryId::Person(UserId(low)));
    assert_eq!(entries[2], EntryId::Account(AccountId(low)));
    let json = serde_json::to_value(entries[2]).unwrap();
    assert_eq!(json, serde_json::json!({"accountId": low}));
    assert_eq!(serde_json::from_value::<EntryId>(json).unwrap(), entries[2]);
}
