//! Keys of profiles that are moved.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{ErrorKind, Read},
    path::Path,
};

use crate::{
    app::App,
    base::{
        error::{Error, Result},
        secret::Secret,
    },
    flows::mcp::secrets_of,
    moving::sealed::Secrets,
    wire::{
        envelope::Caller,
        ids::McpName,
        mcp,
        profiles::{Credential, Profile},
        secret::KeyText,
    },
};

/// The stored keys, to look for in what is written.
pub(super) struct Known(Vec<Secret>);

/// MCP servers for all profiles.
pub(super) type Servers = BTreeMap<McpName, mcp::Server>;

/// Shorter keys would be found by chance.
const SHORTEST: usize = 8;

impl Known {
    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        self.0.iter().any(|key| memchr::memmem::find(bytes, key.expose().as_bytes()).is_some())
    }

    pub(super) fn is_in_file(&self, path: &Path) -> Result<bool> {
        let longest = self.0.iter().map(|key| key.expose().len()).max().unwrap_or(0);
        if longest == 0 {
            return Ok(false);
        }
        let mut file = File::open(path).map_err(Error::reading(path))?;
        let mut buffer = vec![0; (1 << 20) + longest];
        // Of each piece the end stays, since a key may lie across.
        let mut kept = 0;
        loop {
            let n = match file.read(&mut buffer[kept..]) {
                Ok(0) => return Ok(false),
                Ok(n) => n,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(Error::reading(path)(e)),
            };
            let filled = kept + n;
            if self.is_in(&buffer[..filled]) {
                return Ok(true);
            }
            kept = filled.min(longest - 1);
            buffer.copy_within(filled - kept..filled, 0);
        }
    }
}

/// Every key a profile has.
pub(super) fn credentials(profile: &Profile) -> impl Iterator<Item = &Credential> {
    let extra = profile.proxy.iter().flat_map(|p| &p.keys).map(|k| &k.credential);
    std::iter::once(&profile.credential).chain(extra).chain(profile.mcp.values().flat_map(secrets_of))
}

/// The stored keys of these profiles and servers: to look for, and by name. One that cannot be read is warned about when it should
/// come along.
pub(super) fn gather(
    app: &App,
    caller: &Caller,
    (profiles, servers): (&[Profile], &Servers),
    wanted: bool,
    warnings: &mut Vec<String>,
) -> (Known, BTreeMap<String, KeyText>) {
    let (mut known, mut keys) = (Vec::new(), BTreeMap::new());
    let of_profiles = profiles.iter().flat_map(|p| credentials(p).map(move |credential| (format!("profile {}", p.alias), credential)));
    let of_servers = servers.iter().flat_map(|(name, s)| secrets_of(s).map(move |credential| (format!("MCP server {name}"), credential)));
    for (owner, credential) in of_profiles.chain(of_servers) {
        let Credential::Stored { store, key: name } = credential else { continue };
        if keys.contains_key(name) {
            continue;
        }
        match app.seams.vault.store_of_kind(store, &caller.env).and_then(|s| s.get(name)) {
            Ok(Some(key)) => {
                keys.insert(name.clone(), KeyText::new(key.expose().to_owned()));
                if key.expose().len() >= SHORTEST {
                    known.push(key);
                }
            }
            other => {
                let why = other.err().map_or_else(|| "it is not there any more".to_owned(), |e| e.to_string());
                if wanted {
                    warnings.push(format!("the key of {owner} is not exported: {why}"));
                }
            }
        }
    }
    (Known(known), keys)
}

/// A key to store when everything else is checked.
pub(super) struct ToStore {
    pub store: String,
    pub name: String,
    pub key: Secret,
}

/// Where the keys of an imported profile come from: the export, or the profile that is here in its place. No archive names a key of
/// this home's by itself.
pub(super) struct Rekey<'a> {
    pub secrets: &'a Secrets,
    /// Kind of the store that new keys go to.
    pub store: String,
    /// By the name in the export.
    pub renamed: BTreeMap<String, Credential>,
    pub to_store: Vec<ToStore>,
}

impl Rekey<'_> {
    /// Warnings for what has no key now.
    pub(super) fn profile(&mut self, profile: &mut Profile, here: Option<&Profile>) -> Vec<String> {
        let alias = profile.alias.clone();
        let mut warnings = Vec::new();
        let provider = profile.provider.to_string();
        let (credential, hosts) =
            self.one(&provider, alias.as_str(), &profile.credential, here.map(|h| (&h.credential, &h.approved_hosts)));
        match (&credential, &profile.credential) {
            (Credential::None, Credential::Stored { .. }) => {
                warnings.push(format!("profile {alias} has no key; give it one: clown profiles edit {alias} --api-key-stdin"));
            }
            (Credential::Env { .. } | Credential::Command { .. }, _) if hosts.is_none() => warnings.push(format!(
                "where the key of profile {alias} may go is for you to say: clown providers approve {provider} --profile {alias}"
            )),
            _ => {}
        }
        profile.approved_hosts = hosts.unwrap_or_else(|| match &credential {
            // A key that is given later brings its owner's agreement with it.
            Credential::Stored { .. } | Credential::None => std::mem::take(&mut profile.approved_hosts),
            Credential::Env { .. } | Credential::Command { .. } => Vec::new(),
        });
        profile.credential = credential;
        if let Some(proxy) = &mut profile.proxy {
            let former = here.and_then(|h| h.proxy.as_ref());
            proxy.keys.retain_mut(|extra| {
                let same = former.and_then(|f| f.keys.iter().find(|k| k.credential == extra.credential));
                let (credential, hosts) =
                    self.one(extra.provider.as_str(), alias.as_str(), &extra.credential, same.map(|k| (&k.credential, &k.approved_hosts)));
                if credential == Credential::None {
                    warnings.push(format!(
                        "a further key of profile {alias} is not there; add it: clown proxy key add {alias} {} --api-key-stdin",
                        extra.provider
                    ));
                    return false;
                }
                match hosts {
                    Some(hosts) => extra.approved_hosts = hosts,
                    None if matches!(credential, Credential::Stored { .. }) => {}
                    None => extra.approved_hosts = Vec::new(),
                }
                extra.credential = credential;
                true
            });
        }
        warnings.extend(self.servers(profile, here));
        warnings
    }

    fn servers(&mut self, profile: &mut Profile, here: Option<&Profile>) -> Vec<String> {
        let alias = profile.alias.clone();
        let mut warnings = Vec::new();
        profile.mcp.retain(|name, server| {
            let whole = here.and_then(|h| h.mcp.get(name)) == Some(server) || self.server(alias.as_str(), server);
            if !whole {
                warnings.push(format!(
                    "MCP server {name} of profile {alias} has no key and is left out; add it: clown mcp add --profile {alias}"
                ));
            }
            whole
        });
        warnings
    }

    /// Whether the keys of a server came along; without them it is left out. A key of this home's goes only to a server that is here
    /// already, to the letter.
    pub(super) fn server(&mut self, owner: &str, server: &mut mcp::Server) -> bool {
        server.place.values_mut().values_mut().all(|value| match value {
            mcp::Value::Plain(_) | mcp::Value::Secret(Credential::Env { .. } | Credential::Command { .. }) => true,
            mcp::Value::Secret(credential) => {
                *credential = self.one("mcp", owner, credential, None).0;
                *credential != Credential::None
            }
        })
    }

    /// The credential here, and the hosts agreed to here; `None` where nobody agreed here.
    fn one(
        &mut self,
        provider: &str,
        owner: &str,
        credential: &Credential,
        here: Option<(&Credential, &Vec<String>)>,
    ) -> (Credential, Option<Vec<String>>) {
        let agreed = || here.filter(|(c, _)| *c == credential).map(|(_, hosts)| hosts.clone());
        let Credential::Stored { key: name, .. } = credential else { return (credential.clone(), agreed()) };
        if let Some(done) = self.renamed.get(name) {
            return (done.clone(), None);
        }
        let Some(key) = self.secrets.keys.get(name) else {
            return match agreed() {
                Some(hosts) => (credential.clone(), Some(hosts)),
                None => (Credential::None, None),
            };
        };
        let new = crate::flows::keys::new_name(&format!("{provider}/{owner}"));
        let done = Credential::Stored { store: self.store.clone(), key: new.clone() };
        self.to_store.push(ToStore { store: self.store.clone(), name: new, key: Secret::new(key.expose().to_owned()) });
        self.renamed.insert(name.clone(), done.clone());
        (done, None)
    }
}
