//! The charts of the report, each from an outcome to an SVG element; none where there is nothing to draw.

mod bars;
mod histogram;
mod plot;
mod scale;
mod sizes;
mod timeline;

pub(super) use bars::hub_and_floor;
pub(super) use histogram::latencies;
pub(super) use sizes::cost_against_size;
pub(super) use timeline::{cpu, memory};
