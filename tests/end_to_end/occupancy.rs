//! Accounts that assistants clock in to and out of, as admins, members and the assistants themselves see it.

mod agency;
mod codes;
mod directory;
mod extensions;
mod hubs;
mod live;
mod lost;
mod rights;
