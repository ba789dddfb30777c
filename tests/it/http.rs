//! The HTTP interface from outside.

mod types;
