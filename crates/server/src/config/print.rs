//! The configuration in effect, as TOML without its secrets.

use serde_json::Value;

use super::Config;

impl Config {
    /// One `section.key = value` a line, sorted by key. Secrets are stars.
    #[must_use]
    pub fn to_text(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        let mut lines = Vec::new();
        flatten("", &value, &mut lines);
        lines.join("\n") + "\n"
    }
}

fn flatten(key: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(table) => {
            for (part, value) in table {
                let key = if key.is_empty() { part.clone() } else { format!("{key}.{part}") };
                flatten(&key, value, lines);
            }
        }
        Value::Null => {}
        other => lines.push(format!("{key} = {}", inline(other))),
    }
}

/// JSON's texts, numbers and truth values are TOML's too; tables differ.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(table) => {
            let pairs: Vec<_> = table
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| format!("{key} = {}", inline(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
