//! A plane with two axes.

use super::scale::Scale;
use crate::report::svg::{Anchor, Point, Svg};

/// Small, so that its texts can be read when a telephone shrinks it.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 40.0;

/// An axis: its scale, how it names its ticks, and what it shows.
pub(super) struct Axis {
    pub(super) scale: Scale,
    pub(super) show: fn(f64) -> String,
    pub(super) title: &'static str,
}

/// A plot under way.
pub(super) struct Plot {
    svg: Svg,
    x: Scale,
    y: Scale,
}

impl Plot {
    /// The axes and their grid.
    pub(super) fn new(x: &Axis, y: &Axis) -> Self {
        let mut this = Self { svg: Svg::new(WIDTH, HEIGHT), x: x.scale, y: y.scale };
        this.draw_x(x);
        this.draw_y(y);
        this
    }

    fn draw_x(&mut self, axis: &Axis) {
        let bottom = HEIGHT - BOTTOM;
        self.svg.line("base", (LEFT, bottom), (WIDTH - RIGHT, bottom));
        for tick in axis.scale.ticks() {
            let x = self.x_of(tick);
            self.svg.line("base", (x, bottom), (x, bottom + 4.0));
            self.svg.text("axis", Anchor::Middle, (x, bottom + 16.0), &(axis.show)(tick));
        }
        self.svg.text("axis", Anchor::End, (WIDTH - RIGHT, HEIGHT - 6.0), axis.title);
    }

    fn draw_y(&mut self, axis: &Axis) {
        for tick in axis.scale.ticks() {
            let y = self.y_of(tick);
            self.svg.line("grid", (LEFT, y), (WIDTH - RIGHT, y));
            self.svg.text("axis", Anchor::End, (LEFT - 6.0, y + 4.0), &(axis.show)(tick));
        }
        self.svg.text("axis", Anchor::Start, (4.0, 12.0), axis.title);
    }

    /// A bar that stands on the x axis, with a hair of room beside it.
    pub(super) fn bar(&mut self, class: &str, (from, to): (f64, f64), value: f64, tip: &str) {
        let (left, right, top) = (self.x_of(from), self.x_of(to), self.y_of(value));
        let size = ((right - left - 1.0).max(0.5), (HEIGHT - BOTTOM - top).max(0.0));
        self.svg.rect(class, (left, top), size, tip);
    }

    /// A line through values.
    pub(super) fn line(&mut self, class: &str, values: &[Point]) {
        let points: Vec<_> = values.iter().map(|(x, y)| (self.x_of(*x), self.y_of(*y))).collect();
        self.svg.path(class, &points);
    }

    /// A dot for one value.
    pub(super) fn dot(&mut self, class: &str, (x, y): Point, tip: &str) {
        self.svg.dot(class, (self.x_of(x), self.y_of(y)), tip);
    }

    /// A line across the plane at a value of x, named at its top; `row` keeps neighbours apart.
    pub(super) fn mark(&mut self, x: f64, row: usize, name: &str) {
        let x = self.x_of(x);
        let top = TOP - 2.0 + row as f64 * 13.0;
        self.svg.line("mark", (x, top), (x, HEIGHT - BOTTOM));
        let (anchor, at) = if x > WIDTH * 0.7 { (Anchor::End, x - 4.0) } else { (Anchor::Start, x + 4.0) };
        self.svg.text("name", anchor, (at, top + 9.0), name);
    }

    /// A name beside a place of the plane, so many units below it.
    pub(super) fn name(&mut self, (x, y): Point, below: f64, name: &str) {
        let at = (self.x_of(x), self.y_of(y) + below);
        self.svg.text("name", Anchor::End, at, name);
    }

    pub(super) fn finish(self, label: &str) -> String {
        self.svg.finish(label)
    }

    fn x_of(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (WIDTH - LEFT - RIGHT)
    }

    fn y_of(&self, value: f64) -> f64 {
        let bottom = HEIGHT - BOTTOM;
        bottom - self.y.place(value) * (bottom - TOP)
    }
}
