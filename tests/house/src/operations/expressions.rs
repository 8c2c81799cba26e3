//! Queries of dashboards and alerts, read as Prometheus reads them.

use std::collections::BTreeSet;

use promql_parser::{
    label::MatchOp,
    parser::{self, AggregateExpr, Expr, LabelModifier, VectorSelector},
    util::{ExprVisitor, walk_expr},
};

use super::Rendered;

/// Labels that Prometheus gives to every series, for where it comes from.
const OF_TARGETS: [&str; 2] = ["instance", "job"];

/// What a query asks for.
#[derive(Debug, Default)]
pub(super) struct Checked {
    selectors: Vec<VectorSelector>,
    /// By which it adds up.
    groupings: Vec<String>,
}

impl Checked {
    /// Reads a query.
    ///
    /// # Errors
    /// What Prometheus would say of it, more or less.
    pub(super) fn parse(expression: &str) -> Result<Self, String> {
        // What Grafana puts in for its own variables before it asks.
        let expression = expression.replace("$__rate_interval", "5m").replace("$instance", ".*");
        let parsed = parser::parse(&expression).map_err(|error| format!("{expression}: {error}"))?;
        let mut checked = Self::default();
        walk_expr(&mut checked, &parsed).unwrap_or_else(|never| match never {});
        if checked.selectors.is_empty() { Err(format!("{expression} asks for nothing")) } else { Ok(checked) }
    }

    /// The metrics that it asks for.
    pub(super) fn families(&self, rendered: &Rendered) -> BTreeSet<String> {
        let names = self.selectors.iter().filter_map(|selector| selector.name.as_deref());
        names.filter_map(|name| rendered.family_of(name)).map(str::to_owned).collect()
    }

    /// Fails where a metric, a label or a value of a label is asked for that there is not.
    pub(super) fn against(&self, rendered: &Rendered, asks: &str) {
        let mut labels = BTreeSet::from(["le".to_owned()]);
        labels.extend(OF_TARGETS.map(str::to_owned));
        for selector in &self.selectors {
            let name = selector.name.as_deref().expect("a metric by its name");
            if name == "up" {
                continue;
            }
            let family = rendered.family_of(name).unwrap_or_else(|| panic!("{asks}: there is no {name}"));
            let family = &rendered.families[family];
            labels.extend(family.labels.keys().cloned());
            for matcher in &selector.matchers.matchers {
                let values = family.labels.get(&matcher.name);
                let is_of_target = OF_TARGETS.contains(&matcher.name.as_str());
                assert!(is_of_target || values.is_some(), "{asks}: {name} has no label {}", matcher.name);
                let is_said = |values: &BTreeSet<String>| {
                    values.iter().any(|value| matches(&matcher.op, &matcher.value, value))
                };
                assert!(
                    values.is_none_or(is_said),
                    "{asks}: no {name} is {} {}",
                    matcher.name,
                    matcher.value
                );
            }
        }
        for grouping in &self.groupings {
            assert!(labels.contains(grouping), "{asks}: nothing in it has a label {grouping}");
        }
    }
}

/// Whether a matcher is about this value at all. What is left out has to be there, too.
fn matches(op: &MatchOp, wanted: &str, value: &str) -> bool {
    match op {
        MatchOp::Equal | MatchOp::NotEqual => wanted == value,
        MatchOp::Re(pattern) | MatchOp::NotRe(pattern) => pattern.is_match(value),
    }
}

impl ExprVisitor for Checked {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expression: &Expr) -> Result<bool, Self::Error> {
        match expression {
            Expr::VectorSelector(selector) => self.selectors.push(selector.clone()),
            Expr::MatrixSelector(selector) => self.selectors.push(selector.vs.clone()),
            Expr::Aggregate(AggregateExpr { modifier: Some(modifier), .. }) => {
                let (LabelModifier::Include(labels) | LabelModifier::Exclude(labels)) = modifier;
                self.groupings.extend(labels.labels.iter().cloned());
            }
            _ => {}
        }
        Ok(true)
    }
}
