//! Room: agents on this machine.
//!
//! Finds each agent's program on the caller's PATH and asks its version, in a scratch home because
//! version probes write files. Owns `cache/agent-detections.json`: answers by resolved path, size
//! and modification time, so a changed program is asked again and an unchanged one never.
//! Events (sent by flows): `agent/detected`. Never: runs an agent in the real home; trusts a cached
//! answer for a file that changed.

mod detect;

pub use detect::{Ask, Detector, find_program};
