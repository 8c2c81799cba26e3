//! Recorded beside now.

use crate::{count::Count, recorded::Recorded};

/// A region, then and now, in instructions for one unit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    name: String,
    unit: String,
    recorded: Option<f64>,
    now: f64,
}

impl Row {
    /// By how many per cent it costs more than recorded.
    fn difference(&self) -> Option<f64> {
        self.recorded.map(|recorded| (self.now / recorded - 1.0) * 100.0)
    }

    /// Whether it costs more than recorded, past the tolerance in per cent.
    pub(crate) fn is_worse(&self, tolerance: f64) -> bool {
        self.difference().is_some_and(|difference| difference > tolerance)
    }

    fn verdict(&self, tolerance: f64) -> &'static str {
        match self.difference() {
            None => "new: record it",
            Some(difference) if difference > tolerance => "WORSE",
            Some(difference) if difference < -tolerance => "better: record it",
            Some(_) => "",
        }
    }
}

/// What was counted beside what is recorded.
pub(crate) fn rows(recorded: &Recorded, counts: &[Count]) -> Vec<Row> {
    let row = |count: &Count| Row {
        name: count.region.clone(),
        unit: count.unit.clone(),
        recorded: recorded.of(&count.region).map(Count::each),
        now: count.each(),
    };
    counts.iter().map(row).collect()
}

/// One aligned line a row.
pub(crate) fn table(rows: &[Row], tolerance: f64) -> String {
    let width = |text: fn(&Row) -> &str| rows.iter().map(|row| text(row).len()).max().unwrap_or_default();
    let (names, units) = (width(|row| &row.name), width(|row| &row.unit) + 4);
    let (name, unit) = ("region", "");
    let mut table =
        format!("{name:<names$}  {unit:<units$}  {:>11}  {:>11}  {:>8}\n", "recorded", "now", "change");
    for row in rows {
        let recorded = row.recorded.map_or_else(|| "-".to_owned(), |each| format!("{each:.1}"));
        let change = row.difference().map_or_else(|| "-".to_owned(), |change| format!("{change:+.2} %"));
        let (name, unit, now) = (&row.name, format!("per {}", row.unit), format!("{:.1}", row.now));
        let verdict = row.verdict(tolerance);
        let line =
            format!("{name:<names$}  {unit:<units$}  {recorded:>11}  {now:>11}  {change:>8}  {verdict}");
        table += line.trim_end();
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(region: &str, instructions: u64) -> Count {
        Count { region: region.to_owned(), instructions, units: 10, unit: "viewer".to_owned() }
    }

    fn compared() -> Vec<Row> {
        let recorded = Recorded {
            rustc: String::new(),
            counts: vec![count("same", 1000), count("worse", 1000), count("better", 1000)],
        };
        let now = [count("same", 1019), count("worse", 1021), count("better", 900), count("new", 1)];
        rows(&recorded, &now)
    }

    #[test]
    fn only_what_costs_more_than_the_tolerance_is_worse() {
        let worse: Vec<_> = compared().iter().map(|row| row.is_worse(2.0)).collect();
        assert_eq!(worse, [false, true, false, false]);
    }

    #[test]
    fn the_table_says_what_to_do() {
        let table = table(&compared(), 2.0);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[0], "region                 recorded          now    change");
        assert_eq!(lines[1], "same    per viewer        100.0        101.9   +1.90 %");
        assert!(lines[2].ends_with("+2.10 %  WORSE") && lines[3].ends_with("-10.00 %  better: record it"));
        assert!(lines[4].ends_with("0.1         -  new: record it"), "{}", lines[4]);
    }
}
