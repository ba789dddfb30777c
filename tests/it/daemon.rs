//! The daemon's life: started once, found again, replaced, ended.

mod endpoint;
mod events;
mod life;
mod skew;
mod start;
