mod archive;
mod double;
mod lease;
mod schedule;
