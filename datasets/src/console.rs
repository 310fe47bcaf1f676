//! What the three programs show a person: progress, plain lines, errors.
//!
//! Results go to stdout, everything else to stderr. On a terminal long work has a bar with rate
//! and time left; elsewhere (a log file, CI) it writes a plain line every few seconds.

use std::fmt::Write;
use std::io::{IsTerminal, Write as _};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::error::{Error, Fault, Result};

/// How often a plain line is written where there is no terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// Writes a line to stderr; a closed stderr is no reason to stop.
pub fn say(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr(), "{}", line.as_ref());
}

/// Writes a line of results to stdout; a closed pipe (`| head`) is no reason to panic.
pub fn print(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout(), "{}", line.as_ref());
}

/// Runs a program's body, prints its error once and turns it into an exit code: 0 done, 1 the
/// input or the config is wrong, 2 our fault.
pub fn run_main(body: impl FnOnce() -> Result<()>) -> ExitCode {
    match body() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            match error.fault() {
                Fault::Input => ExitCode::from(1),
                Fault::Internal => ExitCode::from(2),
            }
        }
    }
}

/// Prints an error, its chain of causes and its hint.
pub fn report(error: &Error) {
    say(format!("error: {error}"));
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        say(format!("  because: {inner}"));
        cause = inner.source();
    }
    if let Some(hint) = error.hint_text() {
        say(format!("hint: {hint}"));
    }
    if error.fault() == Fault::Internal {
        say("this is a fault of tessera, not of your data");
    }
}

/// The unit that a rate is given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of input.
    Bytes,
    /// Rows, steps, windows: anything that is counted.
    Count(&'static str),
}

/// Progress of one piece of long work.
pub struct Progress {
    label: String,
    unit: Unit,
    total: u64,
    bar: Option<ProgressBar>,
    plain: Mutex<Plain>,
}

/// A bar with rate and time left, redrawn by its own clock.
fn bar(label: &str, total: u64, unit: Unit) -> ProgressBar {
    let template = match total {
        0 => "{prefix:<15} {spinner} {done} · {rate} {msg}",
        _ => "{prefix:<15} [{bar:28}] {done} · {rate} · {eta} left {msg}",
    };
    let done = move |state: &ProgressState, out: &mut dyn Write| {
        let of = state.len().filter(|_| total > 0).map_or(String::new(), |len| format!("/{}", unit.number(len)));
        let _ = write!(out, "{}{of}", unit.number(state.pos()));
    };
    let rate = move |state: &ProgressState, out: &mut dyn Write| {
        let _ = write!(out, "{}/s", unit.amount(state.per_sec() as u64));
    };
    let style = ProgressStyle::with_template(template).expect("the template is a constant of ours");
    let style = style.with_key("done", done).with_key("rate", rate).progress_chars("=> ");
    let bar = if total == 0 { ProgressBar::no_length() } else { ProgressBar::new(total) };
    bar.set_style(style);
    bar.set_prefix(label.to_owned());
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

impl Unit {
    /// `1,234` or `1.2 KiB`.
    fn number(self, n: u64) -> String {
        match self {
            Unit::Bytes => bytes(n),
            Unit::Count(_) => thousands(n),
        }
    }

    /// `1,234 steps` or `1.2 KiB`.
    fn amount(self, n: u64) -> String {
        match self {
            Unit::Bytes => bytes(n),
            Unit::Count(noun) => format!("{} {noun}", thousands(n)),
        }
    }
}

struct Plain {
    started: Instant,
    written: Instant,
    done: u64,
    first: u64,
}

impl Progress {
    /// Starts a bar on a terminal, plain lines elsewhere. `total` 0 means that it is not known.
    pub fn new(label: &str, total: u64, unit: Unit) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| bar(label, total, unit));
        let now = Instant::now();
        Self {
            label: label.to_owned(),
            unit,
            total,
            bar,
            plain: Mutex::new(Plain { started: now, written: now, done: 0, first: 0 }),
        }
    }

    /// Starts from `done` instead of 0, as a resumed run does: the rate counts only what is new.
    #[must_use]
    pub fn starting_at(self, done: u64) -> Self {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.reset_eta();
        }
        if let Ok(mut plain) = self.plain.lock() {
            plain.done = done;
            plain.first = done;
        }
        self
    }

    /// Counts `n` more, with what else there is to say (loss, current file).
    pub fn advance(&self, n: u64, message: impl FnOnce() -> String) {
        if let Some(bar) = &self.bar {
            bar.inc(n);
            let text = message();
            if !text.is_empty() {
                bar.set_message(format!("· {text}"));
            }
            return;
        }
        let Ok(mut plain) = self.plain.lock() else {
            return;
        };
        plain.done += n;
        if plain.written.elapsed() >= PLAIN_INTERVAL {
            plain.written = Instant::now();
            say(self.plain_line(&plain, &message()));
        }
    }

    /// Writes a line that stays, above the bar where there is one.
    pub fn line(&self, text: impl AsRef<str>) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(text)),
            None => say(text),
        }
    }

    /// Ends the bar and leaves one line that says what was done and how fast.
    pub fn finish(self, message: impl AsRef<str>) {
        if let Some(bar) = &self.bar {
            if let Ok(mut plain) = self.plain.lock() {
                plain.done = bar.position();
            }
            bar.finish_and_clear();
        }
        if let Ok(plain) = self.plain.lock() {
            let seconds = plain.started.elapsed().as_secs_f64();
            let done = plain.done - plain.first;
            let rate = self.unit.amount((done as f64 / seconds.max(1e-3)) as u64);
            let what = self.unit.amount(done);
            say(format!("{:<15} {what} in {} ({rate}/s) {}", self.label, duration(seconds), message.as_ref())
                .trim_end());
        }
    }

    fn plain_line(&self, plain: &Plain, message: &str) -> String {
        let seconds = plain.started.elapsed().as_secs_f64().max(1e-3);
        let rate = (plain.done - plain.first) as f64 / seconds;
        let left = match self.total > plain.done && rate > 0.0 {
            true => format!(", {} left", duration((self.total - plain.done) as f64 / rate)),
            false => String::new(),
        };
        let of = if self.total > 0 { format!("/{}", self.unit.amount(self.total)) } else { String::new() };
        let message = if message.is_empty() { String::new() } else { format!(", {message}") };
        format!(
            "{:<15} {}{of}, {}/s{left}{message}",
            self.label,
            self.unit.amount(plain.done),
            self.unit.amount(rate as u64)
        )
    }
}

/// `1,234,567`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `12.3 MiB`.
pub fn bytes(n: u64) -> String {
    let mut value = n as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return if unit == "B" { format!("{n} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

/// `4.2 s`, `3 min 05 s`, `2 h 14 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(duration(185.0), "3 min 05 s");
        assert_eq!(duration(8040.0), "2 h 14 min");
    }
}
