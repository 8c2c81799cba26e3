//! The hub from outside: the real binary as a process, spoken to over real sockets and HTTP.
//!
//! Tests assert order, and arrival before a generous deadline; never a duration. That something old is *not* shown
//! is proven by a round trip, or by a later change that does arrive.

mod fixture;

mod activity;
mod analytics;
mod at_rest;
mod comeback;
mod console;
mod database;
mod directory;
mod hostile;
mod interleave;
mod jwks;
mod matrix;
mod names;
mod occupancy;
mod occupancy_history;
mod occupancy_kills;
mod occupancy_races;
mod openapi;
mod operations;
mod people;
mod postgres_kills;
mod postgres_outage;
mod postgres_start;
mod postgres_truth;
mod rate;
mod restart;
mod settings;
mod sight;
mod slow;
mod tabs;
mod tokens;
mod walk;
mod writer_kills;
mod writer_outage;
