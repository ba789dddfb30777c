//! LiteLLM's prices: a third party's file, of which only numbers are kept, and only if they can be prices.

use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    base::{
        error::{Error, Result},
        fsx,
    },
    registry::{Fetched, Settings},
    wire::registry::PricesSynced,
};

/// It has 3 MB today.
const MOST: u64 = 16 << 20;
const OFF: &str = "off";

/// `registry/prices.lock`
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Lock {
    version: u32,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    /// RFC 3339, UTC.
    pub synced: String,
    pub models: u64,
    left_out: u64,
    /// Of the file of prices, hex.
    blake3: String,
}

/// What is known of the prices on disk, if they are still the ones that were taken.
pub(super) fn lock(app: &App) -> Option<Lock> {
    let lock: Lock = serde_json::from_slice(&fsx::read_optional(&app.paths.prices_lock()).ok()??).ok()?;
    let file = fsx::read_optional(&app.paths.prices_file()).ok()??;
    (blake3::hash(&file).to_hex().as_str() == lock.blake3).then_some(lock)
}

/// Where prices come from; `None`: from nowhere.
pub(super) fn source(app: &App) -> Result<Option<String>> {
    Ok(Some(app.config.text("registry.prices_url")?).filter(|url| url != OFF))
}

/// Takes new prices. What goes wrong with them is told in the reply: it is no reason to do without the registry. Also says how many bytes came.
pub(super) fn take(app: &App, settings: &Settings, url: &str) -> (PricesSynced, u64) {
    let before = lock(app).filter(|lock| lock.url == url);
    let told = |changed: bool, lock: &Lock| PricesSynced {
        changed,
        models: lock.models,
        left_out: lock.left_out,
        moved: Vec::new(),
        refused: None,
    };
    let refused = |why: &dyn std::fmt::Display| {
        let lock = before.as_ref();
        let (models, left_out) = lock.map_or((0, 0), |lock| (lock.models, lock.left_out));
        PricesSynced { changed: false, models, left_out, moved: Vec::new(), refused: Some(why.to_string()) }
    };
    let etag = before.as_ref().and_then(|lock| lock.etag.as_deref());
    let (bytes, etag) = match app.registry.fetch_file(settings, url, etag, MOST) {
        Ok(Fetched::New { bytes, etag }) => (bytes, etag),
        Ok(Fetched::Same) => return (told(false, before.as_ref().unwrap_or(&Lock::default())), 0),
        Err(error) => return (refused(&error), 0),
    };
    let came = bytes.len() as u64;
    let checked = match app.usage.prices().check(&bytes) {
        Ok(checked) => checked,
        Err(why) => return (refused(&format!("what came from {url} is no table of prices: {why}")), came),
    };
    let next = Lock {
        version: 1,
        url: url.to_owned(),
        etag,
        synced: app.now(),
        models: checked.models,
        left_out: checked.left_out,
        blake3: blake3::hash(&checked.file).to_hex().to_string(),
    };
    let changed = before.as_ref().is_none_or(|lock| lock.blake3 != next.blake3);
    if let Err(error) = keep(app, &checked.file, &next) {
        return (refused(&error), came);
    }
    app.look_for_prices();
    (PricesSynced { moved: checked.moved, ..told(changed, &next) }, came)
}

/// The file first: a lock that does not fit it counts for nothing, and the next sync asks for all of it.
fn keep(app: &App, file: &[u8], lock: &Lock) -> Result<()> {
    fsx::create_private_dir(&app.paths.registry_dir())?;
    fsx::write_atomic(&app.paths.prices_file(), file, fsx::Mode::Private)?;
    let text = serde_json::to_vec_pretty(lock).map_err(|e| Error::defect("the lock of prices cannot be encoded").cause(e))?;
    fsx::write_atomic(&app.paths.prices_lock(), &text, fsx::Mode::Private)
}
