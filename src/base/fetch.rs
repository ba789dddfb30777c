//! The [`Fetch`] seam over the network, with `ureq`.

use super::{
    error::{Error, Result},
    seams::{Fetch, Get, Got},
};

#[derive(Default)]
pub struct SystemFetch;

impl Fetch for SystemFetch {
    fn get(&self, _get: &Get<'_>) -> Result<Got> {
        Err(Error::unsupported("not there yet"))
    }
}
