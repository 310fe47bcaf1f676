//! Looks for libtorch before torch-sys does: its own message cannot name our front door.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    if std::env::var_os("CARGO_FEATURE_DOC_ONLY").is_some() {
        return;
    }
    let hint = "run `./tessera setup`, then build with `./tessera build`, which sets LIBTORCH";
    match std::env::var_os("LIBTORCH").map(PathBuf::from) {
        None => println!("cargo::error=tessera-train needs libtorch 2.11.0 and LIBTORCH is not set; {hint}"),
        Some(dir) if !dir.join("include/ATen/ATen.h").is_file() => {
            println!("cargo::error=LIBTORCH is `{}`, which holds no libtorch; {hint}", dir.display());
        }
        Some(_) => {}
    }
}
