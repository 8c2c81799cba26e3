//! Scenarios with answers written by hand from the sentences of the domain.

mod facts;
mod laws;
mod occupancy;
mod privacy;
mod scene;
mod sessions;
