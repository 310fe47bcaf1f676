//! Where to compute, and what libtorch this is.

use std::path::PathBuf;

use tch::Device;
use tessera_datasets::console::print;
use tessera_datasets::{Error, Result};

use crate::shim;

/// The libtorch that tch 0.24 is made for.
pub const LIBTORCH: &str = "2.11.0";

/// The version of the libtorch that is loaded.
pub fn libtorch_version() -> String {
    let config = shim::show_config();
    let version = config.split("TORCH_VERSION=").nth(1);
    version
        .and_then(|rest| rest.split(|c: char| c == ',' || c == '+' || c.is_whitespace()).next())
        .unwrap_or("unknown")
        .to_owned()
}

/// Checks the version of libtorch: another one may start and compute something else.
///
/// # Errors
/// When it is not [`LIBTORCH`].
pub fn check_libtorch() -> Result<()> {
    let found = libtorch_version();
    match found == LIBTORCH {
        true => Ok(()),
        false => Err(Error::input(format!("libtorch is `{found}`, this program was made for `{LIBTORCH}`")).hint(
            "run `./tessera setup` and start through `./tessera`, or set LD_LIBRARY_PATH to the `lib` folder of the right one",
        )),
    }
}

/// Parses `auto`, `cpu`, `cuda` or `cuda:1`. `cuda` fails where there is none: training on the
/// CPU by mistake costs days.
///
/// # Errors
/// When the name is unknown or the device absent.
pub fn parse_device(name: &str) -> Result<Device> {
    if name == "cpu" {
        return Ok(Device::Cpu);
    }
    let loaded = shim::load_cuda();
    if name == "auto" {
        return Ok(Device::cuda_if_available());
    }
    let index = match name {
        "cuda" => 0,
        other => other
            .strip_prefix("cuda:")
            .and_then(|n| n.parse::<usize>().ok())
            .ok_or_else(|| Error::input(format!("unknown device `{other}`; known: `auto`, `cpu`, `cuda`, `cuda:N`")))?,
    };
    let count = tch::Cuda::device_count();
    if index as i64 >= count {
        let error = Error::input(format!("no device `{name}`: libtorch sees {count} CUDA devices"));
        return Err(match loaded {
            Err(reason) => error.hint(format!("this libtorch has no CUDA part ({reason}); see `tessera-train doctor`")),
            Ok(()) => error.hint("check the driver with `nvidia-smi`, and `tessera-train doctor`"),
        });
    }
    Ok(Device::Cuda(index))
}

/// `cpu` or `cuda:0`.
pub fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".to_owned(),
    }
}

/// Sets the threads inside an operation (0: the machine's cores) and says how many there are.
pub fn set_threads(threads: usize) -> u32 {
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        n => n,
    };
    tch::set_num_threads(i32::try_from(threads).unwrap_or(1));
    tch::get_num_threads().unsigned_abs()
}

/// The operating system and the processor, for provenance.
pub fn machine() -> String {
    let info = fs_err::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
    let model = model.trim_start_matches([' ', '\t', ':']).trim();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{} {}, {cores} cores, {model}", std::env::consts::OS, std::env::consts::ARCH)
        .trim_end_matches(", ")
        .to_owned()
}

/// `tessera-train doctor`: what this program sees.
pub fn doctor() {
    let cuda = shim::load_cuda();
    let config = shim::show_config();
    let field = |name: &str| {
        let line = config.lines().find(|l| l.contains(name)).unwrap_or("");
        line.trim().trim_start_matches("- ").to_owned()
    };
    print(format!("tessera       {}", tessera_datasets::VERSION));
    let version = libtorch_version();
    let verdict = if version == LIBTORCH { "as it must be" } else { "WRONG, must be 2.11.0: run `./tessera setup`" };
    print(format!("libtorch      {version}, {verdict}"));
    print(format!("loaded from   {}", loaded_from().map_or("unknown".to_owned(), |p| p.display().to_string())));
    print(format!("machine       {}", machine()));
    print(format!("instructions  {}", field("CPU capability")));
    print(format!("threads       {}", tch::get_num_threads()));
    match cuda {
        Ok(()) => print("CUDA part     loaded"),
        Err(reason) => print(format!("CUDA part     absent ({reason})")),
    }
    match tch::Cuda::device_count() {
        0 => print("CUDA devices  none: training runs on the CPU"),
        n => print(format!("CUDA devices  {n}, cuDNN {}", if tch::Cuda::cudnn_is_available() { "yes" } else { "no" })),
    }
}

/// The file that `libtorch_cpu.so` was loaded from.
fn loaded_from() -> Option<PathBuf> {
    let maps = fs_err::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|l| l.contains("libtorch_cpu"))?;
    Some(PathBuf::from(&line[line.find('/')?..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_libtorch_that_is_loaded_is_the_right_one() {
        check_libtorch().unwrap();
    }

    #[test]
    fn a_device_that_is_absent_is_an_error() {
        assert_eq!(parse_device("cpu").unwrap(), Device::Cpu);
        assert!(parse_device("cuda:99").unwrap_err().to_string().contains("no device `cuda:99`"));
        assert!(parse_device("gpu").unwrap_err().to_string().contains("unknown device `gpu`"));
    }
}
