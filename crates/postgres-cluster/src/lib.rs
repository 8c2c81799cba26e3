//! Postgres servers for tests: each test process has a private one, made in a temporary directory, and tests that stop,
//! kill or freeze a server have their own.
//!
//! A test says `Cluster::shared().create_database()` and gets a database that is gone when it is dropped. Where
//! `PRESENCE_HUB_TEST_DATABASE_URL` names a server (with the URL of a superuser), that one is shared instead.
//! Nothing is left behind, also where the test process is killed: a small process watches over each server and clears
//! away what is there once its owner is gone.
//!
//! What goes wrong here is no result of a test, so it panics and says why.

mod cluster;
mod database;
mod keeper;
mod postmaster;
mod programs;
mod server;
mod session;

pub use cluster::{Cluster, PASSWORD, SERVER_VARIABLE};
pub use database::Database;
pub use server::Options;
pub use session::Session;
