//! One TOML file describes a run, from raw data to report.
//!
//! The file has five parts: what it is (`version`, `name`, `seed`), `[data]`, `[pipeline]`,
//! `[train]` and `[eval]`. Each program parses its own part; each stage, model and metric parses
//! its own table. Unknown keys are refused everywhere, with the line and the keys that exist.

mod section;
mod set;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use toml::{Table, Value};

pub use section::Section;

use crate::{Error, Result, ResultExt};
use section::Located;

/// The version of the config format that this program reads.
pub const CONFIG_VERSION: i64 = 1;

const KEYS: [&str; 7] = ["version", "name", "seed", "data", "pipeline", "train", "eval"];

/// A config file with `--set` applied, not yet parsed below its five parts.
#[derive(Clone, Debug)]
pub struct RunConfig {
    /// What the dataset and the run are called.
    pub name: String,
    /// The seed of everything random.
    pub seed: u64,
    /// Where the data comes from.
    pub data: DataConfig,
    table: Table,
    file: Arc<Located>,
}

/// `[data]`: a card, files of one's own, or a dataset that exists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// The name of a card: `tessera-pipeline cards` lists them.
    pub card: Option<String>,
    /// Files, folders or globs, relative to the working directory.
    #[serde(default)]
    pub paths: Vec<String>,
    /// The licence of `paths`, an SPDX identifier where there is one.
    pub license: Option<String>,
    /// The folder of a dataset made by another config: the pipeline has nothing to do.
    pub dataset: Option<PathBuf>,
}

impl RunConfig {
    /// Reads a config and applies `key.path=value` overrides in order.
    ///
    /// # Errors
    /// When the file is no TOML, has an unknown part, or lacks `version`, `name` or `[data]`.
    pub fn load(path: impl AsRef<Path>, overrides: &[String]) -> Result<Self> {
        let path = path.as_ref();
        let text = fs_err::read_to_string(path)
            .map_err(|e| Error::from(e).hint("the config is a TOML file; see `configs/` for examples"))?;
        Self::parse(path, &text, overrides)
    }

    /// As [`RunConfig::load`], with the text at hand.
    ///
    /// # Errors
    /// As [`RunConfig::load`].
    pub fn parse(path: &Path, text: &str, overrides: &[String]) -> Result<Self> {
        let mut table: Table = toml::from_str(text).map_err(|e| syntax_error(&e, text).at(path))?;
        for assignment in overrides {
            set::apply(&mut table, assignment)?;
        }
        let file = Arc::new(Located::new(path, text));
        let root = Section::new(file.clone(), "", table.clone());
        root.refuse_unknown(&KEYS)?;
        match table.get("version") {
            Some(Value::Integer(CONFIG_VERSION)) => {}
            Some(other) => {
                let message = format!("config version {other}, this program reads {CONFIG_VERSION}");
                return Err(root.error("version", message));
            }
            None => {
                let hint = format!("add `version = {CONFIG_VERSION}` to the top");
                return Err(root.error("", "`version` is missing").hint(hint));
            }
        }
        let name = match table.get("name") {
            Some(Value::String(name)) if is_plain_name(name) => name.clone(),
            Some(_) => {
                let message = "`name` becomes a folder: use letters, digits, `-`, `_` and `.` only";
                return Err(root.error("name", message));
            }
            None => return Err(root.error("", "`name` is missing")),
        };
        let seed = match table.get("seed") {
            None => 0,
            Some(Value::Integer(seed)) if *seed >= 0 => seed.unsigned_abs(),
            Some(other) => return Err(root.error("seed", format!("`seed` is `{other}`, not a whole number from 0"))),
        };
        let data = root.child("data")?.parse::<DataConfig>()?;
        data.check().map_err(|e| e.at(path))?;
        Ok(Self { name, seed, data, table, file })
    }

    /// One of the five parts; an empty one where the file has none.
    ///
    /// # Errors
    /// When it is not a table.
    pub fn section(&self, name: &str) -> Result<Section> {
        Section::new(self.file.clone(), "", self.table.clone()).child(name)
    }

    /// Whether the file has this part.
    pub fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The whole file with the overrides applied, as it is saved beside what it made.
    pub fn resolved(&self) -> String {
        toml::to_string_pretty(&self.table).expect("a parsed TOML table can be written")
    }

    /// The parts named, with the overrides applied: what decides the content of an output.
    pub fn resolved_parts(&self, parts: &[&str]) -> String {
        let kept: Table = self
            .table
            .iter()
            .filter(|(key, _)| parts.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        toml::to_string_pretty(&kept).expect("a parsed TOML table can be written")
    }

    /// Where the config was read from.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The folder of the dataset that the config makes or names.
    pub fn dataset_dir(&self, data_root: &Path) -> PathBuf {
        match &self.data.dataset {
            Some(dir) => dir.clone(),
            None => data_root.join(&self.name),
        }
    }
}

impl DataConfig {
    fn check(&self) -> Result<()> {
        let given = [self.card.is_some(), !self.paths.is_empty(), self.dataset.is_some()];
        match given.iter().filter(|g| **g).count() {
            1 => Ok(()),
            n => Err(Error::input(format!("`[data]` has {n} of `card`, `paths` and `dataset`, and needs one"))
                .hint("for example `[data]` with `card = \"world\"`, which needs no download")),
        }
    }
}

fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

fn syntax_error(error: &toml::de::Error, text: &str) -> Error {
    let out = Error::input(format!("not valid TOML: {}", error.message()));
    match error.span() {
        Some(span) => out.row(1 + text[..span.start.min(text.len())].matches('\n').count() as u64),
        None => out,
    }
}

/// Reads and strictly parses a TOML file of our own, such as a card.
///
/// # Errors
/// When it is no TOML or has an unknown key.
pub fn parse_toml<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T> {
    let table: Table = toml::from_str(text).map_err(|e| syntax_error(&e, text)).at(path)?;
    Section::new(Arc::new(Located::new(path, text)), "", table).parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n\n[train]\nsteps = 10\n[train.model]\nkind = \"gpt\"\nlayerz = 4\n";

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its parsing is tested")]
    struct Model {
        layers: Option<u32>,
        heads: Option<u32>,
    }

    fn parse(text: &str, overrides: &[&str]) -> Result<RunConfig> {
        let overrides: Vec<String> = overrides.iter().map(|s| (*s).to_owned()).collect();
        RunConfig::parse(Path::new("a.toml"), text, &overrides)
    }

    #[test]
    fn a_wrong_key_is_named_with_its_line_and_the_right_ones() {
        let config = parse(EXAMPLE, &[]).unwrap();
        let (kind, model) = config.section("train").unwrap().child("model").unwrap().kind().unwrap();
        assert_eq!(kind, "gpt");
        let error = model.parse::<Model>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`a.toml`, row 10: unknown key `layerz` in `train.model`; valid keys: `layers`, `heads`"
        );
        assert_eq!(error.hint_text(), Some("did you mean `layers`?"));
    }

    #[test]
    fn a_wrong_part_is_refused() {
        let error = parse("version = 1\nname = \"a\"\ntrian = 1\n[data]\ncard = \"world\"\n", &[]).unwrap_err();
        assert!(error.to_string().starts_with("`a.toml`, row 3: unknown key `trian`"), "{error}");
    }

    #[test]
    fn a_wrong_type_names_the_key() {
        let config = parse(EXAMPLE, &["train.model.layers=\"four\""]).unwrap();
        let (_, model) = config.section("train").unwrap().child("model").unwrap().kind().unwrap();
        let error = model.parse::<Model>().unwrap_err().to_string();
        assert!(error.contains("`train.model.layers`") || error.contains("layerz"), "{error}");
    }

    #[test]
    fn overrides_change_and_add() {
        let config = parse(EXAMPLE, &["train.steps=20", "train.model.kind=ngram", "eval.seed=7"]).unwrap();
        let resolved = config.resolved();
        assert!(resolved.contains("steps = 20"));
        assert!(resolved.contains("kind = \"ngram\""));
        assert!(resolved.contains("seed = 7"));
    }

    #[test]
    fn data_needs_exactly_one_origin() {
        let error = parse("version = 1\nname = \"a\"\n[data]\n", &[]).unwrap_err();
        assert!(error.to_string().contains("has 0 of"), "{error}");
    }

    #[test]
    fn syntax_errors_have_a_row() {
        let error = parse("version = 1\nname = \n", &[]).unwrap_err();
        assert!(error.to_string().starts_with("`a.toml`, row 2: not valid TOML"), "{error}");
    }
}
