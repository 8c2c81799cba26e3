//! What the store and its schema promise, on real servers.

mod behind;
mod conformance;
mod faults;
mod fixture;
mod identity;
mod loose;
mod occupancy;
mod open;
mod platform;
mod proxy;
mod rls;
mod schema;
