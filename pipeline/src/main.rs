//! `tessera-pipeline`: raw files to Parquet shards.

use std::process::ExitCode;

fn main() -> ExitCode {
    tessera_datasets::console::run_main(tessera_pipeline::cli::main)
}
