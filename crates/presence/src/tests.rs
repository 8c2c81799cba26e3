//! Unit tests of the heart: exact times, exact frames, exact order, on a small stage with virtual time.

mod activity;
mod answers;
mod directory;
mod endings;
mod last_seen;
mod limits;
mod merging;
mod privacy;
mod resume;
mod slow;
mod stage;
mod timers;
mod turns;
mod views;
mod words;
