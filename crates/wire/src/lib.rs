//! Frames as bytes, in JSON and MessagePack, and back.
