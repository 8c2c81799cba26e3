//! The metrics one by one, for pages that show them.

use std::collections::BTreeMap;

use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use utoipa::ToSchema;

use super::Readiness;

/// What a hub can say of itself. Clones say the same.
#[derive(Clone)]
pub struct Instruments {
    /// What was counted and measured.
    pub metrics: PrometheusHandle,
    /// What holds.
    pub readiness: Readiness,
}

impl Instruments {
    /// Every series as it is now; of a histogram its buckets, its sum and its count.
    pub(crate) fn figures(&self) -> Vec<Figure> {
        figures(&self.metrics.render())
    }
}

/// One series of a metric.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Figure {
    /// The metric's name in `docs/operations.md`; of a histogram with `_bucket`, `_sum` or `_count`.
    name: String,
    /// Left out where there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    labels: BTreeMap<String, String>,
    value: f64,
}

/// The series in Prometheus's text. What is no number to JSON (a gauge may be infinite) is left out.
fn figures(text: &str) -> Vec<Figure> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(figure).collect()
}

fn figure(line: &str) -> Option<Figure> {
    let (series, value) = line.rsplit_once(' ')?;
    let value = value.parse().ok().filter(|value: &f64| value.is_finite())?;
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels_of(labels)),
        None => (series, BTreeMap::new()),
    };
    Some(Figure { name: name.to_owned(), labels, value })
}

/// `route="/livez",status="200"}`. No value has a quote or a backslash in it: they are the catalogue's words, patterns of
/// routes, and methods, which are tokens (RFC 9110, 5.6.2).
fn labels_of(mut text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    while let Some((name, rest)) = text.split_once("=\"") {
        let Some((value, rest)) = rest.split_once('"') else { break };
        labels.insert(name.trim_start_matches(',').to_owned(), value.to_owned());
        text = rest;
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_series_is_a_figure_with_its_labels() {
        let text = "# HELP a what a is\n# TYPE a counter\na 3\n\n\
            b{route=\"/api/presence/users/{user}\",status=\"200\"} 1.5\n\
            c_bucket{le=\"+Inf\"} 7\nd NaN\ne +Inf\n";
        let figure = |name: &str, labels: &[(&str, &str)], value| Figure {
            name: name.to_owned(),
            labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            value,
        };
        let expected = [
            figure("a", &[], 3.0),
            figure("b", &[("route", "/api/presence/users/{user}"), ("status", "200")], 1.5),
            figure("c_bucket", &[("le", "+Inf")], 7.0),
        ];
        assert_eq!(figures(text), expected);
        assert_eq!(figures(""), []);
    }
}
