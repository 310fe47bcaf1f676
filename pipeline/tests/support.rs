//! A folder to work in, the program, and how its results are compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tessera_datasets::hash::sha256_file;
use tessera_datasets::manifest::Manifest;
use tessera_datasets::shard::Dataset;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tessera-pipeline");

/// A folder of its own for each test; the program is started in it.
pub(crate) struct Folder(tempfile::TempDir);

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, content).unwrap();
        path
    }

    /// Writes `config.toml`: a dataset `made` of the files in `raw`, with these stages.
    pub(crate) fn config(&self, stages: &str) {
        self.config_of("paths = [\"raw\"]\nlicense = \"CC0-1.0\"", stages);
    }

    /// As [`Folder::config`], of any `[data]`.
    pub(crate) fn config_of(&self, data: &str, stages: &str) {
        let text = format!("version = 1\nname = \"made\"\nseed = 7\n\n[data]\n{data}\n\n{stages}");
        self.write("config.toml", text);
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn call(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs `config.toml` and expects success.
    pub(crate) fn run(&self, more: &[&str]) -> Ended {
        let ended = self.call(&[&["run", "config.toml"], more].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended
    }

    /// Starts `config.toml` on one thread, and leaves it running.
    pub(crate) fn start(&self, data_root: &str) -> Child {
        let mut command = self.command(&["run", "config.toml", "--threads", "1", "--data-dir", data_root]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    pub(crate) fn made(&self) -> PathBuf {
        self.path().join("data/made")
    }

    pub(crate) fn manifest(&self) -> Manifest {
        Manifest::read(&self.made()).unwrap()
    }

    /// A column of strings of a split.
    pub(crate) fn column(&self, split: &str, name: &str) -> Vec<String> {
        use arrow::array::AsArray;
        let dataset = Dataset::open(self.made()).unwrap();
        let batches = dataset.batches(split, &[]).unwrap();
        let values = batches.flat_map(|batch| {
            let batch = batch.unwrap();
            let column = batch.column_by_name(name).unwrap().as_string::<i32>().clone();
            column.iter().flatten().map(str::to_owned).collect::<Vec<_>>()
        });
        values.collect()
    }

    /// Rejected rows by reason.
    pub(crate) fn rejected(&self) -> BTreeMap<String, u64> {
        self.manifest().rows.rejected.into_iter().map(|(reason, r)| (reason, r.count)).collect()
    }
}

impl Ended {
    /// Expects a fault of the input, said with all of these words.
    #[track_caller]
    pub(crate) fn refused(&self, words: &[&str]) {
        assert_eq!(self.code, 1, "{}{}", self.stdout, self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in:\n{}", self.stderr);
        }
    }
}

/// The folder above `data` with this file in it, where this machine has it.
pub(crate) fn shared(file: &str) -> Option<PathBuf> {
    let named = std::env::var_os("TESSERA_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    [named, Some(beside)].into_iter().flatten().find(|dir| dir.join(file).is_file())
}

/// The hash of every file below a folder, hidden ones too, by relative path.
pub(crate) fn tree(dir: &Path) -> BTreeMap<String, String> {
    let entries = walkdir::WalkDir::new(dir).into_iter().map(Result::unwrap);
    let files = entries.filter(|e| e.file_type().is_file());
    let entry = |e: walkdir::DirEntry| {
        let name = e.path().strip_prefix(dir).unwrap().to_string_lossy().into_owned();
        (name, sha256_file(e.path()).unwrap())
    };
    files.map(entry).collect()
}

/// Stages from text to packed tokens, with two folds on the way and one at the end.
pub(crate) const LANGUAGE_MODEL: &str = r#"
[[pipeline.stage]]
kind = "read-text"
rows = "line"
part_bytes = 30000

[[pipeline.stage]]
kind = "split"
validation = 0.1

[[pipeline.stage]]
kind = "statistics"

[[pipeline.stage]]
kind = "train-tokenizer"
model = "bpe"
vocabulary = 400

[[pipeline.stage]]
kind = "encode"

[[pipeline.stage]]
kind = "pack"
length = 64

[[pipeline.stage]]
kind = "statistics"
"#;

/// A stage that reads lines, alone.
pub(crate) const READ_LINES: &str = "[[pipeline.stage]]\nkind = \"read-text\"\nrows = \"line\"\n";

/// So many files of made-up words, with a bad line in each third one.
pub(crate) fn write_corpus(folder: &Folder, files: u64, lines: u64) {
    const SYLLABLES: [&str; 16] =
        ["ba", "re", "mi", "so", "tu", "ka", "lö", "en", "ist", "und", "der", "an", "pa", "qui", "ze", "wo"];
    let mut state = 1_u64;
    let mut next = move || {
        // Knuth's MMIX constants; the high bits are random enough for words
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for file in 0..files {
        let mut text = Vec::new();
        for _ in 0..lines {
            for _ in 0..4 + next() % 8 {
                for _ in 0..1 + next() % 4 {
                    text.extend_from_slice(SYLLABLES[next() % SYLLABLES.len()].as_bytes());
                }
                text.push(b' ');
            }
            text.push(b'\n');
        }
        if file % 3 == 0 {
            text.extend_from_slice(b"not \xff text\n");
        }
        folder.write(&format!("raw/{file:03}.txt"), text);
    }
}
