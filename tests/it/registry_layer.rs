//! What a registry brings takes effect, and only as far as its user agreed.

mod hosts;
mod scripts;
