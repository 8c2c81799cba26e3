//! People in weddings of a fixed size.

use model::{ChannelId, UserId, WeddingId};
use serde_json::{Value, json};
use uuid::Uuid;

/// `people` in weddings of `size`: one client each, the others are suppliers.
pub(crate) struct World {
    people: u128,
    size: u128,
}

impl World {
    pub(crate) fn new(people: usize, size: usize) -> Self {
        Self { people: people as u128, size: size as u128 }
    }

    pub(crate) fn people(&self) -> impl Iterator<Item = (UserId, ChannelId)> {
        let size = self.size;
        (0..self.people).map(move |n| (user(n), ChannelId::Wedding(wedding(n / size))))
    }

    /// As `directory import` reads it.
    pub(crate) fn document(&self) -> Value {
        let users = (0..self.people)
            .map(|n| json!({ "id": user(n).to_string(), "displayName": format!("Guest {n}") }));
        let weddings = (0..self.people.div_ceil(self.size)).map(|n| {
            let first = n * self.size;
            let suppliers = first + 1..(first + self.size).min(self.people);
            let collaborations = suppliers.map(|supplier| {
                json!({
                    "supplier": user(supplier).to_string(),
                    "client": user(first).to_string(),
                    "supplierType": "photographer",
                })
            });
            json!({
                "id": wedding(n).to_string(),
                "name": format!("Wedding {n}"),
                "collaborations": collaborations.collect::<Vec<_>>(),
            })
        });
        json!({ "users": users.collect::<Vec<_>>(), "weddings": weddings.collect::<Vec<_>>() })
    }
}

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128((1 << 100) + n))
}

fn wedding(n: u128) -> WeddingId {
    WeddingId(Uuid::from_u128((1 << 101) + n))
}
