//! `tessera-train`: shards to a run.

use std::process::ExitCode;

fn main() -> ExitCode {
    tessera_train::shim::keep_memory();
    tessera_datasets::console::run_main(tessera_train::cli::main)
}
