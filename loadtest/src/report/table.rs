//! The table for a terminal.

use super::summary::{COLUMNS, Column, Spread, Summary};

/// A row of cells.
type Row = Vec<String>;

/// One row a scenario, with its extremes beneath it where it was run several times. Columns that
/// no scenario fills are left out.
pub(super) fn render(summaries: &[Summary]) -> String {
    let columns: Vec<_> = COLUMNS
        .iter()
        .filter(|column| summaries.iter().any(|summary| summary.figures.contains_key(column.key)))
        .collect();
    let mut rows = vec![heading("scenario", &columns, 0), heading("", &columns, 1)];
    for summary in summaries {
        rows.push(row(summary, &columns));
        if summary.runs > 1 {
            rows.push(extreme(&format!("  least of {}", summary.runs), summary, &columns, |figure| {
                figure.min
            }));
            rows.push(extreme("  most", summary, &columns, |figure| figure.max));
        }
    }
    align(&rows) + &own_figures(summaries)
}

fn heading(first: &str, columns: &[&Column], line: usize) -> Row {
    let titles = columns.iter().map(|column| column.title[line].to_owned());
    std::iter::once(first.to_owned()).chain(titles).collect()
}

fn row(summary: &Summary, columns: &[&Column]) -> Row {
    let mark = if summary.passed { "" } else { " FAILED" };
    let name = format!("{}{mark}", summary.scenario);
    let cell = |column: &&Column| {
        summary.figures.get(column.key).map_or_else(|| "-".to_owned(), |figure| (column.show)(figure.median))
    };
    std::iter::once(name).chain(columns.iter().map(cell)).collect()
}

/// The least or the most of each figure; nothing where all runs had the same.
fn extreme(name: &str, summary: &Summary, columns: &[&Column], of: fn(&Spread) -> f64) -> Row {
    let cell = |column: &&Column| {
        let figure = summary.figures.get(column.key).filter(|figure| !range(figure, column.show).is_empty());
        figure.map_or_else(String::new, |figure| (column.show)(of(figure)))
    };
    std::iter::once(name.to_owned()).chain(columns.iter().map(cell)).collect()
}

/// From the least to the most; empty where both read the same.
pub(super) fn range(figure: &Spread, show: fn(f64) -> String) -> String {
    let (min, max) = (show(figure.min), show(figure.max));
    if min == max { String::new() } else { format!("{min}..{max}") }
}

/// What only some scenarios have, one line each.
fn own_figures(summaries: &[Summary]) -> String {
    let mut lines = String::new();
    for summary in summaries {
        for (name, figure) in &summary.own_figures {
            let range = range(figure, super::number::count);
            let range = if range.is_empty() { range } else { format!(" ({range})") };
            let median = super::number::count(figure.median);
            lines += &format!("{}: {name}: {median}{range}\n", summary.scenario);
        }
    }
    lines
}

/// The first column to the left, the others to the right.
fn align(rows: &[Row]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |n: usize| rows.iter().filter_map(|row| row.get(n)).map(|cell| cell.chars().count()).max();
    let widths: Vec<_> = (0..columns).map(|n| width(n).unwrap_or_default()).collect();
    let line = |row: &Row| {
        let cells: Vec<_> =
            row.iter().zip(&widths).enumerate().map(|(n, (cell, width))| pad(n, cell, *width)).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

fn pad(column: usize, cell: &str, width: usize) -> String {
    if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
}
