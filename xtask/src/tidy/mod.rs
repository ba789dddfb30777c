//! `tidy`: the house rules of DESIGN, checked. Each file knows one kind of rule and returns violations.

mod documents;
mod house;
mod layout;
mod paths;
mod protocol;
mod report;
mod scan;
mod text;
mod tokens;
mod tree;

pub(crate) use report::task;
pub(crate) use tree::rust_files;
