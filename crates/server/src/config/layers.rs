//! The layers of a configuration, each of which remembers where its values came from.

use std::path::PathBuf;

use config::{File, FileFormat, Map, Source, Value, ValueKind};

use super::{Config, ConfigError, DEFAULTS, Finding};

/// Variables of this prefix are settings, all of them.
const PREFIX: &str = "PRESENCE_HUB__";

/// What is laid over the defaults.
#[derive(Clone, Default)]
pub struct Sources {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// Environment variables; those without the prefix are passed over.
    pub environment: Vec<(String, String)>,
    /// Settings from flags: the flag, the key, the value.
    pub flags: Vec<(String, String, String)>,
}

impl Sources {
    /// The file and the process's environment.
    #[must_use]
    pub fn from_process(file: Option<PathBuf>) -> Self {
        // A variable that is not Unicode cannot name a setting of ours.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { file, environment, flags: Vec::new() }
    }

    pub(super) fn merge(&self) -> Result<Config, ConfigError> {
        let defaults = File::from_str(DEFAULTS, FileFormat::Toml);
        let known = Value::new(None, ValueKind::Table(defaults.collect().map_err(unreadable)?));
        let mut builder = config::Config::builder().add_source(defaults);
        let mut findings = Vec::new();
        for layer in self.layers(&known)? {
            unknown_keys(&layer, &known, &mut findings);
            builder = builder.add_source(layer);
        }
        if !findings.is_empty() {
            return Err(ConfigError::Invalid { findings });
        }
        builder.build().and_then(config::Config::try_deserialize).map_err(unreadable)
    }

    fn layers(&self, known: &Value) -> Result<Vec<Layer>, ConfigError> {
        let file = match &self.file {
            Some(path) => {
                Layer(File::from(path.as_path()).format(FileFormat::Toml).collect().map_err(unreadable)?)
            }
            None => Layer(Map::new()),
        };
        let environment = self.environment.iter().filter_map(|(name, value)| {
            let key = name.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".");
            Some(setting(known, &format!("environment variable {name}"), key, value))
        });
        let flags = self
            .flags
            .iter()
            .map(|(flag, key, value)| setting(known, &format!("flag {flag}"), key.clone(), value));
        Ok(vec![file, environment.collect::<Result<_, _>>()?, flags.collect::<Result<_, _>>()?])
    }
}

/// Values by dotted key.
#[derive(Clone, Debug)]
struct Layer(Map<String, Value>);

impl FromIterator<(String, Value)> for Layer {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.0.clone())
    }
}

/// A text from outside becomes a list where the defaults have one. Numbers and truth values are read from the
/// text later, where their type is known.
fn setting(known: &Value, origin: &str, key: String, text: &str) -> Result<(String, Value), ConfigError> {
    let is_list = find(known, &key).is_some_and(|value| matches!(value.kind, ValueKind::Array(_)));
    let kind = match is_list {
        true => {
            list(text).ok_or_else(|| ConfigError::Unreadable(format!("{key}: not a list, from {origin}")))?
        }
        false => ValueKind::String(text.to_owned()),
    };
    Ok((key, Value::new(Some(&origin.to_owned()), kind)))
}

fn list(text: &str) -> Option<ValueKind> {
    let text = text.trim();
    if text.starts_with('[') {
        // The error of the parser would show the text, which may hold a secret.
        let mut parsed = File::from_str(&format!("list = {text}"), FileFormat::Toml).collect().ok()?;
        return parsed.remove("list").map(|list| list.kind);
    }
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Some(ValueKind::Array(items.map(|item| Value::new(None, ValueKind::String(item.to_owned()))).collect()))
}

fn find<'a>(known: &'a Value, key: &str) -> Option<&'a Value> {
    key.split('.').try_fold(known, |value, part| match &value.kind {
        ValueKind::Table(table) => table.get(part),
        _ => None,
    })
}

fn unknown_keys(layer: &Layer, known: &Value, findings: &mut Vec<Finding>) {
    let mut keys: Vec<_> = layer.0.iter().flat_map(|(key, value)| leaves(key, value)).collect();
    keys.sort_by(|a, b| a.0.cmp(&b.0));
    for (key, value) in keys {
        // A known section named as if it were a key is found here too.
        if !find(known, &key).is_some_and(|value| !matches!(value.kind, ValueKind::Table(_))) {
            let origin = value.origin().unwrap_or("the configuration");
            findings.push(Finding { key, reason: format!("no such key, from {origin}") });
        }
    }
}

/// The values below `value` that are no tables, with their dotted keys.
fn leaves<'a>(key: &str, value: &'a Value) -> Vec<(String, &'a Value)> {
    match &value.kind {
        ValueKind::Table(table) => {
            table.iter().flat_map(|(part, value)| leaves(&format!("{key}.{part}"), value)).collect()
        }
        _ => vec![(key.to_owned(), value)],
    }
}

/// The parser quotes the line it stumbled over, which may hold a secret: only the place and the reason are kept.
fn unreadable(error: config::ConfigError) -> ConfigError {
    let text = error.to_string();
    let kept: Vec<_> = text.lines().filter(|line| !line.contains(" |")).map(str::trim).collect();
    ConfigError::Unreadable(kept.join(": "))
}
