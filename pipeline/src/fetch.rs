//! `fetch`: gets the files of a card, once for a machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use tessera_datasets::card::{Card, CardFile, cache_dir};
use tessera_datasets::console::{bytes, say};
use tessera_datasets::{Error, Result, files};

/// Gets the files of a card into `data/<folder>` of the cache; returns the folder.
///
/// # Errors
/// As [`fetch_into`].
pub fn fetch(card: &Card) -> Result<PathBuf> {
    if card.is_made() {
        return Err(Error::input(format!("card `{}` has no files: its rows are made from a seed", card.name))
            .hint("let the pipeline begin with the stage `draw-world`"));
    }
    let folder = cache_dir().join("data").join(&card.folder);
    fetch_into(card, &folder)?;
    Ok(folder)
}

/// Gets the files of a card that are not in `folder` yet. A file has its name only once its size
/// and hash are those of the card.
///
/// # Errors
/// When a file cannot be had, or is not the one that the card means.
pub fn fetch_into(card: &Card, folder: &Path) -> Result<()> {
    for file in &card.file {
        let path = folder.join(&file.path);
        if path.is_file() && file.verify(&path).is_ok() {
            say(format!("{} is there", path.display()));
            continue;
        }
        let url = file.url.as_deref().ok_or_else(|| {
            Error::input(format!("card `{}` does not say where `{}` is", card.name, file.path)).hint(format!(
                "get it by hand from {} into `{}`",
                card.homepage,
                folder.display()
            ))
        })?;
        say(format!("{} from {url} ({})", path.display(), bytes(file.bytes)));
        download(url, file, &path)?;
    }
    Ok(())
}

fn download(url: &str, file: &CardFile, path: &Path) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs_err::create_dir_all(parent)?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let done = curl(url, &temporary).and_then(|()| {
        file.verify(&temporary).map_err(|e| {
            Error::input(format!("what {url} gives is not the file of the card: {}", e.message()))
                .hint("the file has changed at its source, or the download was cut short: try again later")
        })
    });
    if let Err(error) = done {
        // what is left of it is of no use
        let _ = fs_err::remove_file(&temporary);
        return Err(error);
    }
    fs_err::File::open(&temporary)?.sync_all()?;
    files::rename(&temporary, path)
}

fn curl(url: &str, to: &Path) -> Result<()> {
    let mut command = Command::new("curl");
    command.args(["--fail", "--location", "--silent", "--show-error", "--retry", "3"]);
    command.args(["--proto", "=https,file", "--output"]).arg(to).arg(url);
    let output = command.output().map_err(|e| {
        Error::input("the program `curl` cannot be started").because(e).hint("install curl, or get the file by hand")
    })?;
    match output.status.success() {
        true => Ok(()),
        false => {
            // each try has a line of its own, mostly the same
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().last().unwrap_or_default();
            Err(Error::input(format!("{url} cannot be had: {}", said.trim()))
                .hint("is there a network? files that are there already are not fetched again"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_datasets::hash::sha256;
    use tessera_datasets::schema::Kind;

    fn card(url: &str, content: &[u8]) -> Card {
        Card {
            version: 1,
            name: "test".to_owned(),
            title: "Test".to_owned(),
            kind: Kind::Text,
            description: String::new(),
            homepage: "https://example.org".to_owned(),
            license: "MIT".to_owned(),
            languages: Vec::new(),
            folder: "test".to_owned(),
            file: vec![CardFile {
                path: "sub/a.txt".to_owned(),
                bytes: content.len() as u64,
                sha256: sha256(content),
                split: None,
                language: None,
                role: None,
                rows: None,
                url: (!url.is_empty()).then(|| url.to_owned()),
            }],
        }
    }

    #[test]
    fn files_are_had_once_and_only_whole() {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("source.txt");
        fs_err::write(&source, b"content").unwrap();
        let url = format!("file://{}", source.display());
        let folder = dir.path().join("cache");

        let error = fetch_into(&card(&url, b"other content"), &folder).unwrap_err().to_string();
        assert!(error.contains("not the file of the card"), "{error}");
        assert_eq!(fs_err::read_dir(folder.join("sub")).unwrap().count(), 0);

        let card = card(&url, b"content");
        fetch_into(&card, &folder).unwrap();
        assert_eq!(fs_err::read(folder.join("sub/a.txt")).unwrap(), b"content");

        // a second time needs no source; a file that was damaged is had again
        fs_err::rename(&source, dir.path().join("moved.txt")).unwrap();
        fetch_into(&card, &folder).unwrap();
        fs_err::write(folder.join("sub/a.txt"), b"damaged").unwrap();
        let error = fetch_into(&card, &folder).unwrap_err().to_string();
        assert!(error.contains("cannot be had"), "{error}");
        fs_err::rename(dir.path().join("moved.txt"), &source).unwrap();
        fetch_into(&card, &folder).unwrap();
        assert_eq!(fs_err::read(folder.join("sub/a.txt")).unwrap(), b"content");
    }

    #[test]
    fn a_card_without_an_address_says_where_to_look() {
        let dir = tempfile::tempdir().unwrap();
        let error = fetch_into(&card("", b"x"), dir.path()).unwrap_err();
        assert!(error.hint_text().unwrap().contains("https://example.org"));
    }
}
