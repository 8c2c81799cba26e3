//! The wire held to the files of `proto/`: golden frames, schema and specification; and to its properties.

mod any;
mod document;
mod files;
mod hostile;
mod message;
mod schema;
mod sizes;
mod splice;
mod vectors;
