//! Unit tests of the heart.
