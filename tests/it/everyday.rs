//! From the first command to the last, the way people work.

mod bindings;
mod init;
mod launchers;
mod mistakes;
mod status;
