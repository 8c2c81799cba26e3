//! The tokio shell around the heart: mailbox, turns, fan-out.
