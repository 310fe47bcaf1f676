//! The program from outside: what it makes, what it says, and what a kill does to it.

mod bad_images;
mod bad_input;
mod bitext;
mod config;
mod image_stages;
mod images;
mod multi30k;
mod poses;
mod readers;
mod registry;
mod restart;
mod same_bytes;
mod shakespeare;
mod stages;
mod support;
mod triangulation;
