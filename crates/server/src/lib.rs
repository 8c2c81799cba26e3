//! Sockets, REST, identity, limits, configuration; the binary `presence-hub`.
//!
//! Only this crate knows HTTP. It decides nothing about who sees whom: it establishes who asks, bounds what they
//! may cost, and hands on.

mod app;
pub mod auth;
pub mod cli;
mod clocking;
pub mod commands;
pub mod config;
mod console;
pub mod edge;
mod failure;
pub mod listener;
mod openapi;
pub mod origin;
pub mod problem;
pub mod rate;
mod rest;
pub mod run;
mod socket;
mod store;
pub mod telemetry;
pub mod upgrade;

#[cfg(test)]
mod testing;
