//! From a config to a chain of stages that fit together.

use tessera_datasets::config::{RunConfig, Section};
use tessera_datasets::manifest::MadeBy;
use tessera_datasets::schema::Kind;
use tessera_datasets::{Error, Result, VERSION, hash};

use crate::stage::{AnyFold, Map, Source, Stage, StageContext};
use crate::stages;

/// A pipeline, ready to run.
///
/// The chain of maps is cut after every run of folds, for what they make is needed further on:
/// source, maps, folds; maps, folds; …; maps.
pub struct Plan {
    /// What stages may know of the config, and the dataset's name.
    pub context: StageContext,
    /// The config as the manifest keeps it.
    pub config: MadeBy,
    /// What the rows of the dataset are.
    pub kind: Kind,
    pub(crate) source: Step<Box<dyn Source>>,
    pub(crate) groups: Vec<Group>,
}

/// A stage with what names it.
pub(crate) struct Step<T> {
    /// Its `kind` in the config.
    pub(crate) name: &'static str,
    /// Its table in the config: part of what decides the content.
    pub(crate) table: String,
    /// The number of that table; steps of a [`Stage::Chain`] have the same.
    pub(crate) number: usize,
    pub(crate) stage: T,
}

/// Maps and the folds that see what comes out of them.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) maps: Vec<Step<Box<dyn Map>>>,
    pub(crate) folds: Vec<Step<Box<dyn AnyFold>>>,
}

impl Plan {
    /// Parses `[pipeline]` and checks that each stage can work on what comes in. Touches no files.
    ///
    /// # Errors
    /// At the first stage that is wrong or in the wrong place, with its line.
    pub fn of(config: &RunConfig) -> Result<Self> {
        let pipeline = config.section("pipeline")?;
        pipeline.refuse_unknown(&["stage"])?;
        let context = StageContext { name: config.name.clone(), seed: config.seed, data: config.data.clone() };
        let mut tables = pipeline.children("stage")?.into_iter();
        let first = tables.next().ok_or_else(|| {
            Error::input("the config has no `[[pipeline.stage]]`")
                .at(config.path())
                .hint("begin with `kind = \"read-text\"`, `kind = \"read-images\"` or `kind = \"draw-world\"`")
        })?;
        let (entry, stage) = stages::parse(&first, &context)?;
        let Stage::Source(source) = stage else {
            return Err(first
                .error("kind", format!("`{}` cannot be the first stage: it makes no rows", entry.name))
                .hint("begin with `read-text`, `read-images` or `draw-world`"));
        };
        let mut plan = Self {
            context,
            config: made_by(config),
            kind: source.output(),
            source: step(entry.name, &first, 0, source),
            groups: vec![Group::default()],
        };
        let mut files = Vec::new();
        for (table, number) in tables.zip(1..) {
            let (entry, stage) = stages::parse(&table, &plan.context)?;
            plan.append(entry, &table, number, stage, &mut files)?;
        }
        Ok(plan)
    }

    fn append(
        &mut self,
        entry: &'static stages::Entry,
        table: &Section,
        number: usize,
        stage: Stage,
        files: &mut Vec<String>,
    ) -> Result<()> {
        let misfit = |error: Error| {
            let out = table.error("kind", format!("`{}` {}", entry.name, error.message()));
            match error.hint_text() {
                Some(hint) => out.hint(hint),
                None => out,
            }
        };
        let (needs, provides) = match &stage {
            Stage::Source(_) => {
                return Err(table.error("kind", format!("`{}` makes rows: it can only be the first stage", entry.name)));
            }
            Stage::Chain(_) => (Vec::new(), Vec::new()),
            Stage::Map(map) => (map.needs(), map.provides()),
            Stage::Fold(fold) => (fold.needs(self.kind), fold.provides(self.kind)),
        };
        if let Some(missing) = needs.iter().find(|need| !files.contains(need)) {
            let error =
                table.error("kind", format!("`{}` needs `{missing}`, which no stage before it makes", entry.name));
            return Err(match missing.as_str() {
                stages::TOKENIZER => error.hint("put `train-tokenizer` or `use-tokenizer` before it"),
                _ => error,
            });
        }
        if let Some(twice) = provides.iter().find(|made| files.contains(made)) {
            return Err(
                table.error("kind", format!("`{}` makes `{twice}`, which a stage before it has made", entry.name))
            );
        }
        files.extend(provides);
        let group = self.groups.last_mut().ok_or_else(|| Error::internal("a plan without groups"))?;
        match stage {
            Stage::Source(_) => {}
            Stage::Chain(stages) => {
                for stage in stages {
                    self.append(entry, table, number, stage, files)?;
                }
            }
            Stage::Fold(fold) => {
                fold.check(self.kind).map_err(misfit)?;
                group.folds.push(step(entry.name, table, number, fold));
            }
            Stage::Map(map) => {
                self.kind = map.output(self.kind).map_err(misfit)?;
                let map = step(entry.name, table, number, map);
                match group.folds.is_empty() {
                    true => group.maps.push(map),
                    false => self.groups.push(Group { maps: vec![map], folds: Vec::new() }),
                }
            }
        }
        Ok(())
    }

    /// Name and table number of each step, in the order in which they run.
    pub(crate) fn steps(&self) -> Vec<(&'static str, usize)> {
        let group = |g: &Group| -> Vec<_> {
            let maps = g.maps.iter().map(|s| (s.name, s.number));
            maps.chain(g.folds.iter().map(|s| (s.name, s.number))).collect()
        };
        let first = (self.source.name, self.source.number);
        std::iter::once(first).chain(self.groups.iter().flat_map(group)).collect()
    }

    /// The kinds of the stages in order.
    pub fn stage_names(&self) -> Vec<&'static str> {
        let mut steps = self.steps();
        steps.dedup();
        steps.into_iter().map(|(name, _)| name).collect()
    }

    /// Finds the raw files.
    ///
    /// # Errors
    /// When there are none.
    pub fn open_source(&self) -> Result<Box<dyn crate::stage::PreparedSource>> {
        self.source.stage.prepare()
    }
}

fn step<T>(name: &'static str, table: &Section, number: usize, stage: T) -> Step<T> {
    Step { name, table: table.table().to_string(), number, stage }
}

/// The part of a config that decides a dataset's content.
fn made_by(config: &RunConfig) -> MadeBy {
    let toml = config.resolved_parts(&["name", "seed", "data", "pipeline"]);
    let sha256 = hash::sha256(format!("{toml}\nseed {}\ntessera {VERSION}\n", config.seed).as_bytes());
    MadeBy { sha256, toml }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn plan(stages: &str) -> Result<Plan> {
        let text = format!("version = 1\nname = \"a\"\n[data]\npaths = [\"x\"]\n{stages}");
        Plan::of(&RunConfig::parse(Path::new("a.toml"), &text, &[])?)
    }

    fn stages(kinds: &[&str]) -> String {
        kinds.iter().map(|k| format!("[[pipeline.stage]]\nkind = {k}\n")).collect()
    }

    const READ: &str = "\"read-text\"";
    const SPLIT: &str = "\"split\"";
    const TOKENIZE: &str = "\"train-tokenizer\"\nmodel = \"bytes\"";
    const ENCODE: &str = "\"encode\"";
    const PACK: &str = "\"pack\"\nlength = 8";
    const COUNT: &str = "\"statistics\"";

    #[test]
    fn the_chain_is_cut_after_folds() {
        let plan = plan(&stages(&[READ, SPLIT, COUNT, TOKENIZE, ENCODE, PACK])).unwrap();
        assert_eq!(plan.kind, Kind::Tokens);
        let shape: Vec<(usize, usize)> = plan.groups.iter().map(|g| (g.maps.len(), g.folds.len())).collect();
        assert_eq!(shape, [(1, 2), (2, 0)]);
        assert_eq!(plan.stage_names(), ["read-text", "split", "statistics", "train-tokenizer", "encode", "pack"]);
    }

    #[test]
    fn misfits_are_named_with_their_line() {
        for (kinds, row, message) in [
            (vec![SPLIT], 6, "`split` cannot be the first stage"),
            (vec![READ, READ], 8, "`read-text` makes rows"),
            (vec![READ, PACK], 8, "`pack` needs `tokenizer.json`"),
            (vec![READ, TOKENIZE, ENCODE, SPLIT, ENCODE], 15, "`encode` needs rows of kind `text`"),
            (vec![READ, COUNT, COUNT], 10, "`statistics` makes `stats/text.json`"),
        ] {
            let error = plan(&stages(&kinds)).err().unwrap().to_string();
            assert!(error.starts_with(&format!("`a.toml`, row {row}: {message}")), "{error}");
        }
        let error = plan("").err().unwrap().to_string();
        assert!(error.contains("no `[[pipeline.stage]]`"), "{error}");
        let error = plan("[pipeline]\nstages = 3\n").err().unwrap().to_string();
        assert!(error.contains("unknown key `stages`"), "{error}");
    }

    #[test]
    fn training_and_scoring_do_not_change_the_dataset() {
        let base = stages(&[READ]);
        let hash = |text: &str| plan(text).unwrap().config.sha256;
        assert_eq!(hash(&base), hash(&format!("{base}[train]\nsteps = 3\n")));
        assert_ne!(hash(&base), hash(&stages(&[READ, SPLIT])));
    }
}
