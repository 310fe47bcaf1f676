//! Compiles the C++ file against the libtorch that torch-sys found, and tells the linker where
//! that libtorch will be at run time.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=cpp/shim.cpp");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if std::env::var_os("CARGO_FEATURE_DOC_ONLY").is_some() {
        return;
    }
    let lib =
        PathBuf::from(std::env::var("DEP_TCH_LIBTORCH_LIB").expect(
            "torch-sys did not say where libtorch is; run `./tessera setup` and build through `./tessera build`",
        ));
    let include = lib.parent().expect("libtorch's `lib` lies in a folder").join("include");
    assert!(
        include.join("ATen/ATen.h").is_file(),
        "`{}` has no libtorch headers; run `./tessera setup`",
        include.display()
    );
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .warnings(false)
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .define("_GLIBCXX_USE_CXX11_ABI", "1")
        .file("cpp/shim.cpp")
        .compile("tessera_shim");
    println!("cargo:rustc-link-search=native={}", lib.display());
    println!("cargo:rustc-link-lib=torch_cpu");
    println!("cargo:rustc-link-lib=c10");
    // torch-sys sets no run path on the binaries of other packages
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
}
