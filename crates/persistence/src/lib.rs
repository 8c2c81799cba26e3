//! The store's trait, the write-behind writer and the conformance suite every store passes.
