//! Process.
