//! The heart: channels, sessions, views, timers. Pure: no clock, no randomness, no I/O.
