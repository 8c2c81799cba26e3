//! The tables of `docs/privacy.md`, made by asking `policy` what it would show. Nothing here decides anything.

use model::{
    AccountId, CleanText, Device, Occupancy, Record, Relation, Role, Settings, Status, UserId, Visibility,
    Wall,
};
use policy::{Merged, PersonForm, Sight, account_form, account_forms, offline, present, sight};
use serde_json::Value;

use crate::documents::{hold, table};

const DOCUMENT: &str = "docs/privacy.md";

/// All values of a closed set with words for each; a value without words does not compile.
macro_rules! words {
    ($all:ident, $words:ident of $set:ident { $($variant:ident $text:literal)+ }) => {
        const $all: &[$set] = &[$($set::$variant),+];

        fn $words(value: $set) -> &'static str {
            match value {
                $($set::$variant => $text),+
            }
        }
    };
}

words! { VISIBILITIES, choice of Visibility {
    Everyone "`everyone`"
    Team "`team`"
    Contacts "`contacts`"
    Nobody "`nobody`"
} }

words! { ROLES, role of Role {
    Owner "an owner of the organization"
    Admin "an admin"
    Member "another member"
} }

words! { STATUSES, status of Status {
    Online "`online`"
    Idle "`idle`, which was only noticed"
    Away "`away`, which you chose"
    Busy "`busy`, which you chose"
} }

/// What two people may have in common, in words, as sets: they may be related in several ways.
const LOOKERS: [(&str, &[Relation]); 5] = [
    ("you yourself", &[Relation::SameUser]),
    ("somebody of an organization of yours", &[Relation::OrganizationMember]),
    ("somebody of a wedding of yours", &[Relation::WeddingCollaborator]),
    ("somebody of both", &[Relation::OrganizationMember, Relation::WeddingCollaborator]),
    ("anybody else", &[]),
];

fn seen(visibility: Visibility, relations: &[Relation]) -> &'static str {
    let settings = Settings { visibility, ..Settings::default() };
    match sight(|relation| relations.contains(&relation), Some(&settings)) {
        Sight::Own => "sees everything",
        Sight::Public => "sees you",
        Sight::Hidden => "nothing",
    }
}

#[test]
fn who_sees_you_is_what_policy_says() {
    let head: Vec<_> = ["your choice"].into_iter().chain(LOOKERS.map(|(words, _)| words)).collect();
    let row = |visibility: &Visibility| {
        let cells = LOOKERS.map(|(_, relations)| seen(*visibility, relations).to_owned());
        [vec![choice(*visibility).to_owned()], cells.to_vec()].concat()
    };
    hold(DOCUMENT, "who sees you", &table(&head, VISIBILITIES.iter().map(row)));
}

fn text(raw: &str) -> Option<CleanText> {
    CleanText::parse(raw, "text", 100).expect("a clean text")
}

/// Somebody of whom there is everything to be seen.
fn everything(status: Status) -> Merged {
    Merged {
        status,
        page: text("/weddings/7"),
        is_typing: true,
        device: Some(Device::Mobile),
        custom_status: text("on site"),
        custom_emoji: text("🎂"),
    }
}

/// The columns: in whose eyes, with which choices of activity and page.
const EYES: [(&str, PersonForm, bool, bool); 5] = [
    ("you yourself", PersonForm::Own, false, false),
    ("both shown", PersonForm::Public, true, true),
    ("activity alone (as it is at first)", PersonForm::Public, true, false),
    ("page alone", PersonForm::Public, false, true),
    ("neither", PersonForm::Public, false, false),
];

fn shown(status: Status, (_, form, activity, page): (&str, PersonForm, bool, bool)) -> Value {
    let settings = Settings { show_activity: activity, show_current_page: page, ..Settings::default() };
    fields(&present(form, UserId(uuid::Uuid::nil()), everything(status), &settings))
}

fn fields(record: &Record) -> Value {
    serde_json::to_value(record).expect("JSON")
}

/// Every field of a person that there is, but for the id and the status, with words for it.
const FIELDS: [(&str, &str); 5] = [
    ("currentPage", "the page you are on"),
    ("isTyping", "that you are typing"),
    ("device", "your device: desktop, mobile or tablet"),
    ("customStatus", "your own words"),
    ("customEmoji", "your emoji"),
];

#[test]
fn what_is_shown_of_you_is_what_policy_says() {
    let head: Vec<_> = ["of you"].into_iter().chain(EYES.map(|eyes| eyes.0)).collect();
    let statuses = STATUSES.iter().map(|value| {
        let cells =
            EYES.map(|eyes| format!("`{}`", shown(*value, eyes)["status"].as_str().expect("a status")));
        [vec![status(*value).to_owned()], cells.to_vec()].concat()
    });
    let others = FIELDS.iter().map(|(name, about)| {
        let cells = EYES.map(|eyes| shows(shown(Status::Online, eyes).get(name).is_some()).to_owned());
        [vec![format!("{about} (`{name}`)")], cells.to_vec()].concat()
    });
    hold(DOCUMENT, "what is shown", &table(&head, statuses.chain(others)));
}

/// The names of all fields, sorted.
fn names(record: &Value) -> Vec<String> {
    let mut names: Vec<_> = record.as_object().expect("an object").keys().cloned().collect();
    names.sort_unstable();
    names
}

fn shows(is_there: bool) -> &'static str {
    if is_there { "shown" } else { "not there" }
}

#[test]
fn no_field_is_forgotten() {
    let named = |record: &Record| names(&fields(record));
    let all =
        present(PersonForm::Own, UserId(uuid::Uuid::nil()), everything(Status::Busy), &Settings::default());
    let mut known: Vec<_> = FIELDS.map(|(name, _)| name).into_iter().chain(["userId", "status"]).collect();
    known.sort_unstable();
    assert_eq!(named(&all), known, "a field of a person without a row");
    let gone = offline(UserId(uuid::Uuid::nil()), Some(Wall(0)));
    assert_eq!(named(&gone), ["lastSeen", "status", "userId"], "docs/privacy.md says so in words");
}

/// What a viewer may read of an occupied account.
fn read_by(role: Option<Role>, is_holder: bool) -> String {
    let (holder, other) = (UserId(uuid::Uuid::from_u128(1)), UserId(uuid::Uuid::from_u128(2)));
    let occupancy = Occupancy { user: holder, since: Wall(0), stale_since: Some(Wall(60_000)), epoch: 1 };
    let forms = account_forms(AccountId(uuid::Uuid::nil()), &occupancy, "Ada");
    let viewer = if is_holder { holder } else { other };
    let Some(record) = account_form(&forms, viewer, role, holder) else { return "nothing".to_owned() };
    let record = fields(record);
    let words: Vec<_> = names(&record).iter().map(|name| account_field(name, &record)).collect();
    words.join(", ")
}

/// A field of an account in words. One without words fails the test.
fn account_field(name: &str, record: &Value) -> &'static str {
    match (name, record["holder"].as_str()) {
        ("accountId", _) => "which account",
        ("displayName", _) => "your name",
        ("userId", _) => "who you are",
        ("since", _) => "since when",
        ("staleSince", _) => "when you were last heard of, while your extension is lost",
        ("holder", Some("occupied")) => "that somebody is in it",
        ("holder", Some("own")) => "that it is your own",
        ("holder", Some("named")) => "that you are in it",
        unknown => panic!("{unknown:?} has no words"),
    }
}

#[test]
fn who_reads_whom_in_an_account_is_what_policy_says() {
    let of_role = |value: &Role| vec![role(*value).to_owned(), read_by(Some(*value), false)];
    let own = vec!["you, as a member who is in it".to_owned(), read_by(Some(Role::Member), true)];
    let stranger = vec!["anybody else".to_owned(), read_by(None, false)];
    let rows = ROLES.iter().map(of_role).chain([own, stranger]);
    hold(DOCUMENT, "who is in an account", &table(&["who looks", "reads"], rows));
}
