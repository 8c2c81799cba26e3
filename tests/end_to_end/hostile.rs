//! Frames that no honest client sends: each gets what is documented, and its neighbours get theirs.

mod connections;
pub(crate) mod raw;
mod table;
