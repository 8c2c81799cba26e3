//! An agency with accounts in which assistants work: it joins the first organization of a world.
//!
//! Its assistants are nobody whom the generator's crowd plays. The number 0 is its owner. All of them have a mark in
//! their id and in their name, which is looked for in all that members are sent.

use std::ops::Range;

use model::{AccountId, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Person;

/// The number of an assistant of the agency; 0 is its owner.
pub(crate) type Assistant = u32;
/// The number of an account of the agency, which stands in the last digits of its id.
pub(crate) type Account = u32;

const ACCOUNTS: u128 = 1 << 103;
const ASSISTANTS: u128 = 0xa551_57a9_0000_4000_8000_0000_0000_0000;
/// How every assistant's id begins, as text and as bytes.
const MARK: &[u8] = b"a55157a9-0000-4000";
const BINARY_MARK: &[u8] = &[0xa5, 0x51, 0x57, 0xa9, 0, 0, 0x40, 0];
/// The owner.
pub(crate) const OWNER: Assistant = 0;

/// How large the agency is, and who watches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agency {
    pub(crate) accounts: u32,
    /// With the owner.
    pub(crate) assistants: u32,
    /// Accounts that assistants come to and leave; those below are held throughout.
    pub(crate) free: Range<Account>,
    /// Members who are no assistants.
    pub(crate) members: Range<Person>,
}

impl Agency {
    /// Adds the agency to the first organization of a document that `directory import` reads.
    pub(crate) fn join(&self, document: &mut Value) {
        let user = |n| json!({ "id": assistant(n), "displayName": name(n) });
        let member = |n| json!({ "user": assistant(n), "role": if n == OWNER { "owner" } else { "member" } });
        let account = |n| json!({ "id": account(n), "name": format!("Inbox {n}") });
        let organization = &mut document["organizations"][0];
        extend(&mut organization["members"], (0..self.assistants).map(member));
        organization["accounts"] = (0..self.accounts).map(account).collect();
        extend(&mut document["users"], (0..self.assistants).map(user));
    }
}

fn extend(list: &mut Value, more: impl Iterator<Item = Value>) {
    if let Some(list) = list.as_array_mut() {
        list.extend(more);
    }
}

/// The id of an account.
pub(crate) fn account(number: Account) -> AccountId {
    AccountId(Uuid::from_u128(ACCOUNTS + u128::from(number)))
}

/// The number of an account, if it is one of ours.
pub(crate) fn account_number(account: AccountId) -> Option<Account> {
    account.0.as_u128().checked_sub(ACCOUNTS).and_then(|number| u32::try_from(number).ok())
}

/// The id of an assistant.
pub(crate) fn assistant(number: Assistant) -> UserId {
    UserId(Uuid::from_u128(ASSISTANTS + u128::from(number)))
}

/// The number of an assistant, if it is one of ours.
pub(crate) fn assistant_number(user: UserId) -> Option<Assistant> {
    user.0.as_u128().checked_sub(ASSISTANTS).and_then(|number| u32::try_from(number).ok())
}

/// The name of an assistant, which has the mark in it.
pub(crate) fn name(number: Assistant) -> String {
    format!("Assistant {} {number}", assistant(number))
}

/// Whether an assistant is named in bytes of either encoding, by id or by name.
pub(crate) fn names_assistant(bytes: &[u8]) -> bool {
    [MARK, BINARY_MARK].iter().any(|mark| bytes.windows(mark.len()).any(|part| part == *mark))
}

/// The same in text for somebody who may be told of themself.
pub(crate) fn names_another(text: &str, own: Assistant) -> bool {
    names_assistant(text.replace(&assistant(own).to_string(), "").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn a_name_and_an_id_are_found_in_either_encoding() {
        let id = assistant(17);
        assert!(names_assistant(format!("{{\"userId\":\"{id}\"}}").as_bytes()));
        assert!(names_assistant(name(17).as_bytes()));
        assert!(names_assistant(&[&[0xc4, 16], &id.0.as_bytes()[..]].concat()));
        assert!(!names_assistant(format!("{{\"accountId\":\"{}\"}}", account(17)).as_bytes()));
    }

    #[test]
    fn one_may_be_told_of_oneself() {
        let text = format!("{} {}", assistant(1), assistant(1));
        assert!(!names_another(&text, 1));
        assert!(names_another(&text, 2));
        assert!(names_another(&format!("{text} {}", assistant(12)), 1));
    }

    #[test]
    fn ids_have_their_numbers() {
        assert_eq!(account_number(account(4_999)), Some(4_999));
        assert_eq!(assistant_number(assistant(3_000)), Some(3_000));
        assert_eq!(assistant_number(crate::world::user(7)), None);
    }

    #[test]
    fn the_agency_is_in_the_document() {
        let mut document = World::new(6).with_organizations(0..6, 3).document();
        Agency { accounts: 2, assistants: 3, free: 0..2, members: 0..3 }.join(&mut document);
        assert_eq!(document["users"].as_array().unwrap().len(), 9);
        let organizations = document["organizations"].as_array().unwrap();
        assert_eq!(organizations[0]["members"].as_array().unwrap().len(), 6);
        assert_eq!(organizations[0]["members"][3]["role"], "owner");
        assert_eq!(organizations[0]["accounts"].as_array().unwrap().len(), 2);
        assert!(organizations[1].get("accounts").is_none());
    }
}
