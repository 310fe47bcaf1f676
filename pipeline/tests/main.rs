//! The program from outside: what it makes, what it says, and what a kill does to it.

mod bad_input;
mod config;
mod readers;
mod registry;
mod restart;
mod same_bytes;
mod shakespeare;
mod stages;
mod support;
