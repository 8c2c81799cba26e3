//! The binary `presence-hub`.

fn main() {}
