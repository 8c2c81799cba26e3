//! The part of the page about one scenario.

use serde_json::Value;

use super::tag;
use crate::{
    outcome::{Check, Outcome, SizePoint},
    report::{
        chart, number,
        summary::COLUMNS,
        summary::{Summary, derive},
        svg::escape,
        words,
    },
};

/// All about a scenario; the charts are of the run in the middle.
pub(super) fn section(summary: &Summary, runs: &[&Outcome]) -> String {
    let name = escape(&summary.scenario);
    let shown = middle(runs);
    let caption = match runs.len() {
        1 => String::new(),
        several => {
            format!("<p class=\"soft\">Charts: run {} of {several}, the one in the middle.</p>\n", shown + 1)
        }
    };
    let cards = [figures(summary, runs), parameters(runs[shown]), checks(runs), notes(runs)].concat();
    let charts = charts(runs[shown], runs);
    format!(
        "<section id=\"{name}\"><h2>{name}</h2>\n{caption}<div class=\"cards\">{charts}{cards}</div></section>\n"
    )
}

/// The run whose cost is in the middle.
fn middle(runs: &[&Outcome]) -> usize {
    let cost = |n: &usize| runs[*n].hub.and_then(|hub| hub.cpu_s_per_million()).unwrap_or_default();
    let mut order: Vec<_> = (0..runs.len()).collect();
    order.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    order[order.len() / 2]
}

fn charts(shown: &Outcome, runs: &[&Outcome]) -> String {
    let mut charts = Vec::new();
    let mut add = |title: &str, svg: Option<String>, caption: &str| {
        charts.extend(svg.map(|svg| figure(title, &svg, caption)));
    };
    add("Latency", chart::latencies(&shown.latency), "From the scheduled time of a change to its arrival.");
    add("CPU", chart::cpu(&shown.series), "The hub.");
    let buffers =
        "Solid: resident memory of the hub. Dashed: buffers of all TCP sockets, the generator's too.";
    add("Memory", chart::memory(&shown.series), buffers);
    let points: Vec<SizePoint> = runs.iter().flat_map(|run| run.points.clone()).collect();
    for (line, svg) in chart::cost_against_size(&points) {
        add(&format!("Cost against {line}"), Some(svg), "Dashed: the floor in the same shape.");
    }
    charts.concat()
}

fn figure(title: &str, svg: &str, caption: &str) -> String {
    format!("<figure>{}{svg}<figcaption>{}</figcaption></figure>\n", tag("h3", title), escape(caption))
}

/// A card around a table with or without a heading.
fn card(title: &str, heads: &[String], rows: &[Vec<String>]) -> String {
    let cells = |name: &str, cells: &[String]| -> String {
        cells.iter().map(|cell| format!("<{name}>{}</{name}>", escape(cell))).collect()
    };
    let heading = if heads.is_empty() {
        String::new()
    } else {
        format!("<thead><tr>{}</tr></thead>", cells("th", heads))
    };
    let body: String = rows.iter().map(|row| format!("<tr>{}</tr>\n", cells("td", row))).collect();
    format!(
        "<div class=\"card wide\">{}<table>{heading}<tbody>{body}</tbody></table></div>\n",
        tag("h3", title)
    )
}

/// Every figure of every run, and the median where there are several.
fn figures(summary: &Summary, runs: &[&Outcome]) -> String {
    let derived: Vec<_> = runs.iter().map(|run| derive(run)).collect();
    let shared = COLUMNS.iter().filter_map(|column| {
        let spread = summary.figures.get(column.key)?;
        let values = derived
            .iter()
            .map(|figures| figures.get(column.key).map_or_else(String::new, |v| (column.show)(*v)));
        let title = column.title.join(" ").replace("- ", "");
        Some(row(title.trim().to_owned(), (column.show)(spread.median), values))
    });
    let own = summary.own_figures.iter().map(|(name, spread)| {
        let of = |run: &&Outcome| {
            let figure = run.figures.iter().find(|figure| figure.title() == *name);
            figure.map_or_else(String::new, |figure| number::count(figure.value))
        };
        row(name.clone(), number::count(spread.median), runs.iter().map(of))
    });
    let rows: Vec<_> = shared.chain(own).chain(totals(runs)).collect();
    let heads = match runs.len() {
        1 => Vec::new(),
        several => row(String::new(), "median".to_owned(), (0..several).map(|n| format!("run {}", n + 1))),
    };
    card("Figures", &heads, &rows)
}

/// The name, the median, and each run where there are several.
fn row(name: String, median: String, values: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let values = if values.len() > 1 { values.collect() } else { Vec::new() };
    [vec![name, median], values].concat()
}

/// What the figures are made of: each run's totals.
fn totals(runs: &[&Outcome]) -> Vec<Vec<String>> {
    type Total = (&'static str, fn(&Outcome) -> f64);
    let totals: [Total; 3] = [
        ("delivered", |run| run.delivered as f64),
        ("expected", |run| run.expected as f64),
        ("measured for, s", |run| run.duration_s),
    ];
    let line = |(name, value): Total| {
        let median = crate::report::summary::Spread::of(runs.iter().map(|run| value(run)).collect());
        let median = median.map_or_else(String::new, |spread| number::count(spread.median));
        row(name.to_owned(), median, runs.iter().map(|run| number::count(value(run))))
    };
    let seeds = runs.iter().map(|run| run.seed.to_string());
    let seed = if runs.len() > 1 { String::new() } else { seeds.clone().collect() };
    totals.map(line).into_iter().chain([row("seed".to_owned(), seed, seeds)]).collect()
}

fn parameters(run: &Outcome) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows: Vec<_> = run.parameters.iter().map(|(name, value)| vec![name.clone(), text(value)]).collect();
    if rows.is_empty() { String::new() } else { card("Parameters", &[], &rows) }
}

/// One row a check, with what each run found.
fn checks(runs: &[&Outcome]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for check in runs.iter().flat_map(|run| &run.checks) {
        if !names.contains(&check.name.as_str()) {
            names.push(&check.name);
        }
    }
    let rows: String = names.iter().map(|name| check_row(name, runs)).collect();
    format!("<div class=\"card wide\"><h3>Checks</h3><table><tbody>{rows}</tbody></table></div>\n")
}

fn check_row(name: &str, runs: &[&Outcome]) -> String {
    let found: Vec<&Check> =
        runs.iter().flat_map(|run| run.checks.iter().filter(|check| check.name == name)).collect();
    let values: Vec<_> = found.iter().map(|check| words::value(check.value, check.limit)).collect();
    let missed: Vec<_> = found.iter().filter(|check| !check.holds).collect();
    let (class, verdict) = match missed.as_slice() {
        [] => ("good", "holds"),
        [some, ..] if some.invariant => ("bad", "FAILED"),
        _ => ("bad", "missed"),
    };
    let mut limits: Vec<_> = found.iter().map(|check| limit(check)).collect();
    limits.dedup();
    format!(
        "<tr><td>{}</td><td>{}</td><td class=\"text\">{}</td><td class=\"text {class}\">{verdict}</td></tr>\n",
        escape(name),
        escape(&values.join(" / ")),
        escape(&limits.join(" / ")),
    )
}

fn limit(check: &Check) -> String {
    let kind = if check.invariant { "" } else { "aim: " };
    format!("{kind}{}", words::limit(check))
}

fn notes(runs: &[&Outcome]) -> String {
    let mut notes: Vec<_> = runs.iter().flat_map(|run| &run.notes).collect();
    notes.dedup();
    if notes.is_empty() {
        return String::new();
    }
    let items: String = notes.iter().map(|note| tag("li", note)).collect();
    format!("<div class=\"card\"><h3>Notes</h3><ul>{items}</ul></div>\n")
}
