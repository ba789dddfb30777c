//! Ground that every room stands on: paths, files, secrets, seams to the outside, errors.

pub mod child_env;
pub mod env_names;
pub mod error;
pub mod fetch;
pub mod fsx;
pub mod glob;
pub mod installed;
pub mod json;
pub mod launcher;
pub mod loopback;
pub mod os;
pub mod paths;
pub mod random;
pub mod redact;
pub mod release;
pub mod seams;
pub mod secret;
pub mod service;
pub mod sign;
pub mod stored;
pub mod upkeep;
pub mod url;
