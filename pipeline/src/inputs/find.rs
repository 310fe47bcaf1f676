//! From `[data]` to a sorted list of files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use tessera_datasets::card::Card;
use tessera_datasets::config::DataConfig;
use tessera_datasets::{Error, Result};
use walkdir::WalkDir;

use super::{InputFile, counted};

/// The licence of files whose owner has not said.
const UNKNOWN_LICENSE: &str = "unknown";

/// What `[data]` leads to.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The files to read, sorted by name.
    pub files: Vec<InputFile>,
    /// The names of files that are none of the wanted sort, sorted.
    pub skipped: Vec<String>,
    /// The names of folders with neither a file to read nor another folder in them, sorted.
    pub barren: Vec<String>,
}

/// Finds the files of `[data]`: those of the card, or those that `paths` lead to.
///
/// `wanted` says by its name whether a file is read; `sorts` lists for people what is. A folder is
/// walked in the order of names; hidden files and what file managers leave behind are left out. A
/// file that is named in full must be of a wanted sort, others are counted as skipped.
///
/// # Errors
/// When there is no file, with what was looked for.
pub fn find(data: &DataConfig, dataset: &str, sorts: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Found> {
    let found = match &data.card {
        Some(name) => of_card(&Card::find(name)?, wanted)?,
        None => of_paths(data, dataset, sorts, wanted)?,
    };
    if !found.files.is_empty() {
        return Ok(found);
    }
    let origin = match &data.card {
        Some(card) => format!("card `{card}`"),
        None => format!("`{}`", data.paths.join("`, `")),
    };
    let error = Error::input(format!("no file to read in {origin}"));
    Err(match found.skipped.as_slice() {
        [] => error.hint(format!("there are no files at all; this stage reads {sorts}")),
        [first, ..] => {
            let others = counted(found.skipped.len() as u64, "file");
            error.hint(format!("{others} of another sort, such as `{first}`; this stage reads {sorts}"))
        }
    })
}

fn of_card(card: &Card, wanted: &dyn Fn(&str) -> bool) -> Result<Found> {
    if card.is_made() {
        return Err(Error::input(format!("card `{}` has no files: its rows are made from a seed", card.name))
            .hint("let the pipeline begin with the stage `draw-world`"));
    }
    let folder = card.locate()?;
    let mut found = Found::default();
    for file in &card.file {
        if !wanted(&file.path) {
            found.skipped.push(file.path.clone());
            continue;
        }
        found.files.push(InputFile {
            path: folder.join(&file.path),
            name: file.path.clone(),
            bytes: file.bytes,
            source: card.name.clone(),
            license: card.license.clone(),
            split: file.split.clone(),
            expected_sha256: Some(file.sha256.clone()),
        });
    }
    found.files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn of_paths(data: &DataConfig, dataset: &str, sorts: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Found> {
    let mut paths = BTreeMap::new();
    let mut barren = BTreeSet::new();
    let mut roots = Vec::new();
    for entry in &data.paths {
        let expanded = expand(entry, sorts, wanted)?;
        roots.push(expanded.root);
        paths.extend(expanded.files);
        barren.extend(expanded.barren);
    }
    let root = common_folder(&roots);
    let license = data.license.as_deref().unwrap_or(UNKNOWN_LICENSE);
    let mut found = Found::default();
    for (path, sort) in paths {
        let name = name_below(&root, &path)?;
        match sort {
            Sort::Skipped => found.skipped.push(name),
            Sort::Wanted => found.files.push(InputFile {
                bytes: fs_err::metadata(&path)?.len(),
                path,
                name,
                source: dataset.to_owned(),
                license: license.to_owned(),
                split: None,
                expected_sha256: None,
            }),
        }
    }
    found.files.sort_by(|a, b| a.name.cmp(&b.name));
    found.skipped.sort();
    found.barren = barren.iter().map(|folder| name_below(&root, folder)).collect::<Result<_>>()?;
    Ok(found)
}

#[derive(Clone, Copy)]
enum Sort {
    Wanted,
    Skipped,
}

/// One entry of `paths`.
#[derive(Default)]
struct Expanded {
    /// The folder that its files are named from.
    root: PathBuf,
    files: Vec<(PathBuf, Sort)>,
    /// See [`Found::barren`].
    barren: Vec<PathBuf>,
}

fn expand(entry: &str, sorts: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Expanded> {
    let path = PathBuf::from(entry);
    if path.is_dir() {
        let mut out = Expanded { root: path.clone(), ..Expanded::default() };
        walk(&path, wanted, &mut out)?;
        return Ok(out);
    }
    if path.is_file() {
        if !wanted(entry) {
            return Err(Error::input("not a sort of file that this stage reads")
                .at(entry)
                .hint(format!("it reads {sorts}")));
        }
        let root = path.parent().unwrap_or(Path::new("")).to_path_buf();
        return Ok(Expanded { root, files: vec![(path, Sort::Wanted)], ..Expanded::default() });
    }
    if !entry.contains(['*', '?', '[']) {
        let hint = "`[data].paths` are files, folders or globs, relative to the working directory";
        return Err(Error::input("no such file or folder").at(entry).hint(hint));
    }
    let matches = glob::glob(entry).map_err(|e| Error::input(format!("`{entry}` is no glob: {}", e.msg)))?;
    let mut out = Expanded { root: fixed_part(entry), ..Expanded::default() };
    let mut any = false;
    for path in matches {
        let path = path.map_err(|e| Error::from(std::io::Error::from(e)))?;
        any = true;
        if path.is_dir() {
            walk(&path, wanted, &mut out)?;
        } else if !is_left_out(&path) {
            out.files.push(sorted(path, wanted));
        }
    }
    match any {
        true => Ok(out),
        false => Err(Error::input("this glob matches no file")
            .at(entry)
            .hint("a `*` does not cross folders, `**` does; globs are relative to the working directory")),
    }
}

fn walk(folder: &Path, wanted: &dyn Fn(&str) -> bool, out: &mut Expanded) -> Result<()> {
    let visible = |entry: &walkdir::DirEntry| entry.depth() == 0 || !is_left_out(entry.path());
    // folders on the way to the current entry, each with whether there is something in it
    let mut open: Vec<(PathBuf, bool)> = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(visible) {
        let entry = entry.map_err(walk_error)?;
        while open.len() > entry.depth() {
            out.barren.extend(open.pop().and_then(|(path, filled)| (!filled).then_some(path)));
        }
        let is_folder = entry.file_type().is_dir();
        let file = entry.file_type().is_file().then(|| sorted(entry.path().to_path_buf(), wanted));
        if let Some((_, filled)) = open.last_mut() {
            *filled |= is_folder || matches!(file, Some((_, Sort::Wanted)));
        }
        if is_folder {
            open.push((entry.into_path(), false));
        }
        out.files.extend(file);
    }
    out.barren.extend(open.into_iter().filter(|(_, filled)| !filled).map(|(path, _)| path));
    // whether the folder itself holds anything is said by there being files
    out.barren.retain(|path| path != folder);
    Ok(())
}

fn walk_error(error: walkdir::Error) -> Error {
    let is_loop = error.loop_ancestor().is_some();
    let out = Error::input(error.to_string());
    match is_loop {
        true => out.hint("a symbolic link leads back to a folder above it: remove the link"),
        false => out.hint("each file and folder below `[data].paths` must be readable; links must lead somewhere"),
    }
}

fn sorted(path: PathBuf, wanted: &dyn Fn(&str) -> bool) -> (PathBuf, Sort) {
    let sort = if wanted(&path.to_string_lossy()) { Sort::Wanted } else { Sort::Skipped };
    (path, sort)
}

fn is_left_out(path: &Path) -> bool {
    path.file_name().is_some_and(|name| is_clutter(&name.to_string_lossy()))
}

/// Whether a file or folder of this name is none of the data: hidden, or left behind by a file
/// manager.
pub(crate) fn is_clutter(name: &str) -> bool {
    name.starts_with('.') || matches!(name, "__MACOSX" | "Thumbs.db" | "desktop.ini")
}

/// The folders of a glob before the first one with a sign in it.
fn fixed_part(glob: &str) -> PathBuf {
    let plain = |c: &Component<'_>| !c.as_os_str().to_string_lossy().contains(['*', '?', '[']);
    Path::new(glob).components().take_while(plain).collect()
}

/// The longest folder that all of `roots` are in.
fn common_folder(roots: &[PathBuf]) -> PathBuf {
    let mut roots = roots.iter();
    let Some(first) = roots.next() else {
        return PathBuf::new();
    };
    roots.fold(first.clone(), |common, root| {
        let same = common.components().zip(root.components()).take_while(|(a, b)| a == b);
        same.map(|(a, _)| a).collect()
    })
}

fn name_below(root: &Path, path: &Path) -> Result<String> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Option<Vec<&str>> = below.components().map(|c| c.as_os_str().to_str()).collect();
    let name = parts.map(|parts| parts.join("/"));
    name.ok_or_else(|| Error::input("the name of the file is not UTF-8").at(path).hint("rename the file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> bool {
        name.ends_with(".txt")
    }

    fn names(dir: &Path, paths: &[&str]) -> Result<(Vec<String>, Vec<String>)> {
        let paths = paths.iter().map(|p| dir.join(p).to_string_lossy().into_owned()).collect();
        let data = DataConfig { paths, ..DataConfig::default() };
        let found = find(&data, "test", "`.txt`", &text)?;
        Ok((found.files.into_iter().map(|f| f.name).collect(), found.skipped))
    }

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b/2.txt", "b/10.txt", "a/x.txt", "a/x.pdf", ".git/x.txt", "a/.hidden.txt", "c/y.csv"] {
            let path = dir.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "text").unwrap();
        }
        dir
    }

    #[test]
    fn folders_are_sorted_and_hidden_files_left_out() {
        let dir = folder();
        let (files, skipped) = names(dir.path(), &[""]).unwrap();
        assert_eq!(files, ["a/x.txt", "b/10.txt", "b/2.txt"]);
        assert_eq!(skipped, ["a/x.pdf", "c/y.csv"]);
    }

    #[test]
    fn folders_with_nothing_in_them_are_named() {
        let dir = folder();
        fs_err::create_dir_all(dir.path().join("d/e/f")).unwrap();
        fs_err::create_dir_all(dir.path().join("d/g")).unwrap();
        fs_err::write(dir.path().join("d/z.txt"), "text").unwrap();
        fs_err::create_dir_all(dir.path().join("__MACOSX/c")).unwrap();
        let data = |path: &str| DataConfig {
            paths: vec![dir.path().join(path).to_string_lossy().into_owned()],
            ..DataConfig::default()
        };
        assert_eq!(find(&data(""), "test", "", &text).unwrap().barren, ["c", "d/e/f", "d/g"]);
        assert_eq!(find(&data("d"), "test", "", &text).unwrap().barren, ["e/f", "g"]);
        assert!(find(&data("b"), "test", "", &text).unwrap().barren.is_empty());
    }

    #[test]
    fn several_paths_are_named_from_their_common_folder() {
        let dir = folder();
        assert_eq!(names(dir.path(), &["b", "a"]).unwrap().0, ["a/x.txt", "b/10.txt", "b/2.txt"]);
        assert_eq!(names(dir.path(), &["b/*.txt"]).unwrap().0, ["10.txt", "2.txt"]);
        assert_eq!(names(dir.path(), &["b/2.txt"]).unwrap().0, ["2.txt"]);
        // the same file by two ways is one file
        assert_eq!(names(dir.path(), &["b", "b/*", "a/x.txt"]).unwrap().0, ["a/x.txt", "b/10.txt", "b/2.txt"]);
    }

    #[test]
    fn nothing_to_read_is_an_error_with_a_hint() {
        let dir = folder();
        fs_err::create_dir_all(dir.path().join("empty")).unwrap();
        for (path, message, hint) in [
            ("empty", "no file to read in", "no files at all"),
            ("c", "no file to read in", "such as `y.csv`"),
            ("none", "no such file or folder", "relative to the working directory"),
            ("a/*.md", "matches no file", "does not cross folders"),
            ("a/x.pdf", "not a sort of file", "`.txt`"),
        ] {
            let error = names(dir.path(), &[path]).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.hint_text().unwrap().contains(hint), "{:?}", error.hint_text());
        }
    }

    #[test]
    fn a_card_without_files_points_to_the_stage_that_draws() {
        let data = DataConfig { card: Some("world".to_owned()), ..DataConfig::default() };
        let error = find(&data, "test", "", &text).unwrap_err();
        assert!(error.hint_text().unwrap().contains("draw-world"));
    }
}
