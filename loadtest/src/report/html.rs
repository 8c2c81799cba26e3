//! The report as one page that needs nothing but itself.

mod scenario;
mod style;

use chrono::DateTime;

use super::{
    Report, chart,
    summary::{COLUMNS, Column, Summary},
    svg::escape,
    table, words,
};

/// The page.
pub(super) fn page(report: &Report) -> String {
    let scenarios: String = report
        .summary
        .iter()
        .map(|summary| scenario::section(summary, &report.outcomes_of(&summary.scenario)))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Load test: {}</title>\n<style>{}</style></head>\n<body><main>\n{}{}{}{scenarios}</main></body></html>\n",
        verdict(report),
        style::STYLE,
        head(report),
        overview(&report.summary),
        bars(&report.summary),
    )
}

fn verdict(report: &Report) -> &'static str {
    if report.passed { "passed" } else { "failed" }
}

fn head(report: &Report) -> String {
    let class = if report.passed { "good" } else { "bad" };
    let began = i64::try_from(report.began_at).ok().and_then(|s| DateTime::from_timestamp(s, 0));
    let began = began.map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M UTC").to_string());
    let outcomes: Vec<_> = report.outcomes().collect();
    let misses: String = words::misses(&outcomes).lines().map(|line| tag("li", line)).collect();
    format!(
        "<h1>Load test <span class=\"{class}\">{}</span></h1>\n<p class=\"facts\">{}<br>{}</p>\n\
         <pre>{}</pre>\n<ul>{misses}</ul>\n",
        verdict(report),
        escape(&began),
        escape(&report.machine.words()),
        escape(&report.command),
    )
}

/// The table of all scenarios.
fn overview(summaries: &[Summary]) -> String {
    let filled = |column: &&Column| summaries.iter().any(|summary| summary.figures.contains_key(column.key));
    let columns: Vec<_> = COLUMNS.iter().filter(filled).collect();
    let heads: String = columns
        .iter()
        .map(|column| {
            let title = column.title.join(" ").replace("- ", "");
            format!("<th title=\"{}\">{}</th>", escape(column.means), escape(title.trim()))
        })
        .collect();
    let rows: String = summaries.iter().map(|summary| overview_row(summary, &columns)).collect();
    format!(
        "<h2>All scenarios</h2>\n<div class=\"wide\"><table><thead><tr><th>scenario</th>{heads}</tr></thead>\
         <tbody>{rows}</tbody></table></div>\n"
    )
}

fn overview_row(summary: &Summary, columns: &[&Column]) -> String {
    let class = if summary.passed { "good" } else { "bad" };
    let cells: String = columns
        .iter()
        .map(|column| match summary.figures.get(column.key) {
            Some(figure) => {
                let range = table::range(figure, column.show);
                format!("<td>{}<small>{}</small></td>", escape(&(column.show)(figure.median)), escape(&range))
            }
            None => "<td></td>".to_owned(),
        })
        .collect();
    let name = escape(&summary.scenario);
    format!("<tr><th class=\"{class}\"><a href=\"#{name}\">{name}</a></th>{cells}</tr>\n")
}

fn bars(summaries: &[Summary]) -> String {
    chart::hub_and_floor(summaries).map_or_else(String::new, |svg| {
        format!("<h2>CPU seconds for a million deliveries</h2>\n<figure class=\"bars\">{svg}</figure>\n")
    })
}

/// An element around an escaped text.
fn tag(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>\n", escape(text))
}
