//! Integration tests of `tessera-train`: parity with PyTorch, resuming, the command line.

mod augment_parity;
mod command_line;
mod fine_tuning;
mod gpt2_parity;
mod parameter_groups;
mod pose_parity;
mod poses;
mod registry;
mod resume;
mod support;
mod transformer_parity;
mod translation;
mod vision_parity;
mod whole_way;
