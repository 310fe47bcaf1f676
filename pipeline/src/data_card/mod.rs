//! The data card: `README.md` with the front matter that `datasets.load_dataset(DIR)` reads.
//!
//! The body follows the parts that the Hugging Face hub asks of a card: what it is, how it was
//! made, what is in it, where it comes from, how to load it.

mod images;
mod poses;
mod windows;
mod yaml;

use std::fmt::Write;

use serde_json::{Map, Value, json};
use tessera_datasets::card::Card;
use tessera_datasets::config::DataConfig;
use tessera_datasets::console::{bytes, thousands};
use tessera_datasets::manifest::Manifest;
use tessera_datasets::schema::{Kind, RecordSchema};
use tessera_datasets::{Error, Result};

/// The splits in the order in which people name them.
const ORDER: [&str; 3] = ["train", "validation", "test"];

/// The text of the card. It speaks of nothing but the manifest and the columns, so it is the same
/// wherever and whenever it is made.
///
/// # Errors
/// When the card of the raw data is no longer there.
pub fn text(manifest: &Manifest, data: &DataConfig, schema: &RecordSchema) -> Result<String> {
    let card = data.card.as_deref().map(Card::find).transpose()?;
    let front = yaml::block(&front_matter(manifest, card.as_ref(), schema));
    let mut out = format!("---\n{front}---\n\n# {}\n\n", manifest.name);
    body(&mut out, manifest, card.as_ref()).map_err(|e| Error::internal(e.to_string()))?;
    Ok(out)
}

/// The names of the splits: the usual ones first, then others by name.
pub fn split_names(manifest: &Manifest) -> Vec<&str> {
    let usual = ORDER.into_iter().filter(|name| manifest.splits.contains_key(*name));
    let others = manifest.splits.keys().map(String::as_str).filter(|name| !ORDER.contains(name));
    usual.chain(others).collect()
}

fn front_matter(manifest: &Manifest, card: Option<&Card>, schema: &RecordSchema) -> Value {
    let mut front = Map::new();
    let licenses = licenses(manifest, card);
    match licenses.as_slice() {
        [one] if is_identifier(one) => {
            front.insert("license".to_owned(), one.to_lowercase().into());
        }
        _ => {
            front.insert("license".to_owned(), "other".into());
            front.insert("license_name".to_owned(), licenses.join(" and ").into());
        }
    }
    if let Some(languages) = manifest.details.get("languages") {
        front.insert("language".to_owned(), languages.clone());
    }
    let title = card.map_or(manifest.name.clone(), |card| format!("{} ({})", manifest.name, card.title));
    front.insert("pretty_name".to_owned(), title.into());
    front.insert("size_categories".to_owned(), json!([size_category(manifest.rows.kept)]));
    if let Some(task) = task(manifest.kind) {
        front.insert("task_categories".to_owned(), json!([task]));
    }
    let splits = split_names(manifest);
    let file = |name: &&str| json!({ "split": name, "path": format!("data/{name}-*.parquet") });
    let files: Vec<Value> = splits.iter().map(file).collect();
    front.insert("configs".to_owned(), json!([{ "config_name": "default", "data_files": files }]));
    let entry = |name: &&str| {
        let split = &manifest.splits[*name];
        json!({ "name": name, "num_bytes": split.bytes, "num_examples": split.rows })
    };
    let entries: Vec<Value> = splits.iter().map(entry).collect();
    front
        .insert("dataset_info".to_owned(), json!({ "features": yaml::features(schema.features()), "splits": entries }));
    Value::Object(front)
}

/// The licences of all sources, each once.
fn licenses(manifest: &Manifest, card: Option<&Card>) -> Vec<String> {
    let mut licenses: Vec<String> = manifest.sources.iter().map(|s| s.license.clone()).collect();
    licenses.extend(card.map(|card| card.license.clone()));
    licenses.sort();
    licenses.dedup();
    licenses
}

/// Whether a licence is an identifier and not terms in words.
fn is_identifier(license: &str) -> bool {
    !license.is_empty() && license.chars().all(|c| c.is_ascii_alphanumeric() || "-.+".contains(c))
}

fn size_category(rows: u64) -> &'static str {
    match rows {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        1_000_000..10_000_000 => "1M<n<10M",
        10_000_000..100_000_000 => "10M<n<100M",
        100_000_000..1_000_000_000 => "100M<n<1B",
        _ => "n>1B",
    }
}

fn task(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Text | Kind::Tokens => Some("text-generation"),
        Kind::Translation => Some("translation"),
        Kind::Image => Some("image-classification"),
        Kind::Caption => Some("image-to-text"),
        Kind::ImageTokens => Some("text-to-image"),
        Kind::Pose | Kind::PoseWindows | Kind::Predictions | Kind::Explanations => None,
    }
}

fn body(out: &mut String, manifest: &Manifest, card: Option<&Card>) -> std::fmt::Result {
    writeln!(
        out,
        "A dataset of kind `{}`, made by {}. `manifest.json` says from what and how; only the files",
        manifest.kind, manifest.program
    )?;
    writeln!(out, "that it names belong to the dataset.\n")?;
    if let Some(card) = card {
        writeln!(out, "{}: {}\n", card.title, card.description.trim())?;
        writeln!(out, "Homepage: {}\n", card.homepage)?;
    }
    writeln!(out, "## Splits\n\n| split | rows | bytes | shards |\n|---|---:|---:|---:|")?;
    for name in split_names(manifest) {
        let split = &manifest.splits[name];
        writeln!(out, "| {name} | {} | {} | {} |", thousands(split.rows), bytes(split.bytes), split.shards.len())?;
    }
    translations(out, manifest)?;
    images::images(out, manifest)?;
    poses::poses(out, manifest)?;
    windows::windows(out, manifest)?;
    let rows = &manifest.rows;
    writeln!(out, "\n## From rows read to rows kept\n\n| stage | rows in | rows out |\n|---|---:|---:|")?;
    for stage in &rows.stages {
        writeln!(out, "| {} | {} | {} |", stage.stage, thousands(stage.rows_in), thousands(stage.rows_out))?;
    }
    if rows.rejected.is_empty() {
        writeln!(out, "\nNo row was rejected.")?;
    } else {
        writeln!(out, "\n| rejected because | rows | for example |\n|---|---:|---|")?;
        for (reason, rejected) in &rows.rejected {
            let sample = rejected.samples.first().map_or(String::new(), |s| format!("{}, {}", s.src, s.loc));
            writeln!(out, "| {} | {} | {} |", cell(reason), thousands(rejected.count), cell(&sample))?;
        }
    }
    sources(out, manifest, card)?;
    loading(out, manifest)
}

/// What the stage `statistics` has counted of translations, where there is one.
fn translations(out: &mut String, manifest: &Manifest) -> std::fmt::Result {
    let Some(statistics) = manifest.details.get("statistics").filter(|_| manifest.kind == Kind::Translation) else {
        return Ok(());
    };
    writeln!(out, "\n## Languages\n")?;
    writeln!(out, "| split | language | words | characters | tokens | words in a row, median | at most |")?;
    writeln!(out, "|---|---|---:|---:|---:|---:|---:|")?;
    for split in split_names(manifest) {
        for (language, counts) in statistics[split].as_object().into_iter().flatten() {
            write!(out, "| {split} | {language} |")?;
            for key in ["words", "characters", "tokens", "median_words", "maximum_words"] {
                let count = counts[key].as_u64().map_or(String::new(), thousands);
                write!(out, " {count} |")?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

/// How many source files are listed in the card; the manifest has all.
const LISTED: usize = 20;

fn sources(out: &mut String, manifest: &Manifest, card: Option<&Card>) -> std::fmt::Result {
    writeln!(out, "\n## Sources\n")?;
    if manifest.sources.is_empty() {
        let license = card.map_or("unknown", |card| card.license.as_str());
        return writeln!(out, "No files: the rows are made from a seed. Licence: {license}.");
    }
    writeln!(out, "| source | file | bytes | licence | sha256 |\n|---|---|---:|---|---|")?;
    for file in manifest.sources.iter().take(LISTED) {
        let [source, path, license] = [&file.source, &file.path, &file.license].map(|text| cell(text));
        writeln!(
            out,
            "| {source} | {path} | {} | {license} | `{}…` |",
            thousands(file.bytes),
            file.sha256.get(..16).unwrap_or_default()
        )?;
    }
    match manifest.sources.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(out, "\nand {} more files, all of them in `manifest.json`.", thousands(more as u64)),
    }
}

fn loading(out: &mut String, manifest: &Manifest) -> std::fmt::Result {
    let name = &manifest.name;
    let split = split_names(manifest).first().copied().unwrap_or("train");
    writeln!(out, "\n## Loading\n\nWith this folder at `data/{name}`:\n\n```python")?;
    writeln!(out, "import datasets\nrows = datasets.load_dataset(\"data/{name}\", split=\"{split}\")\n")?;
    writeln!(out, "import polars\nrows = polars.scan_parquet(\"data/{name}/data/{split}-*.parquet\")\n")?;
    writeln!(out, "import duckdb\nrows = duckdb.sql(\"SELECT * FROM 'data/{name}/data/{split}-*.parquet'\")\n```")
}

/// Text in a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_fall_into_the_hubs_categories() {
        assert_eq!(size_category(999), "n<1K");
        assert_eq!(size_category(1_000), "1K<n<10K");
        assert_eq!(size_category(2_000_000_000), "n>1B");
    }

    #[test]
    fn cells_do_not_break_the_table() {
        assert_eq!(cell("a|b\nc"), "a\\|b c");
    }

    #[test]
    fn licences_in_words_are_named_beside() {
        assert!(is_identifier("CC-BY-4.0") && is_identifier("unknown"));
        assert!(!is_identifier("free for research, see the homepage"));
    }
}
