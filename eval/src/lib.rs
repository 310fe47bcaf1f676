//! From predictions to scores, and from a run to a report.
//!
//! - [`metric`]: what a metric is; [`metrics`]: the metrics there are
//! - [`predictions`]: the rows that a model wrote about a split
//! - [`bootstrap`]: intervals from the statistics of the segments
//! - [`significance`]: whether two systems differ by more than chance
//! - [`proportion`]: shares with Wilson's interval
//! - [`score`]: a number with its interval, its size and its signature
//! - [`config`]: the `[eval]` part of a config
//! - [`corpus`]: files of translations on the command line
//! - [`report`]: one page, one Markdown file and one JSON file about a run
//!
//! Nothing here knows a network: what only the model can show, it writes beside its predictions.

pub mod bootstrap;
pub mod config;
pub mod corpus;
pub mod metric;
pub mod metrics;
pub mod number;
pub mod predictions;
pub mod proportion;
pub mod report;
pub mod rows;
pub mod score;
pub mod significance;
pub mod sum;
pub mod table;
