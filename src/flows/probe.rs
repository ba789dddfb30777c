//! Asks a provider whether a key is good and which models it may use.

use std::time::Duration;

use super::{
    keys::{self, ForRun},
    resolve::resolve,
};
use crate::{
    app::App,
    base::{
        error::{Error, Result},
        seams::{Asking, Told, Unreached, Why},
        secret::{Secret, clean_key},
        url::approval_host,
    },
    providers::{account, choose_url},
    wire::{
        envelope::Caller,
        manifest::{AuthScheme, Endpoint, ProviderKind, ProviderManifest},
        profiles::Profile,
        providers::{Outcome, Probe, Probed},
        secret::KeyText,
    },
};

/// For one question.
const LIMIT: Duration = Duration::from_secs(15);
/// Longest list of models that is read, in bytes.
const LONGEST: u64 = 8 << 20;

pub fn probe(app: &App, ask: Probe, caller: &Caller) -> Result<Probed> {
    let snapshot = app.manifests.snapshot();
    let provider = snapshot.provider(&ask.id)?.item.clone();
    if provider.kind != ProviderKind::Remote {
        return Err(Error::unsupported(match provider.kind {
            ProviderKind::Own => format!("provider {} is each agent's own login, which clown does not use itself", provider.id),
            _ => format!("provider {} is inside clown and takes no key", provider.id),
        })
        .hint("see what there is to ask: clown providers list"));
    }
    let profile = ask.profile.as_deref().map(|alias| app.profiles.find(alias)).transpose()?;
    let endpoint = endpoint(app, &provider, profile.as_ref(), ask.endpoint.as_deref())?;
    let key = key(app, &provider, profile.as_ref(), ask.key, caller)?;
    let mut probed = look(app, &provider, &endpoint, key.as_ref());
    probed.fix = fix(&provider, probed.outcome, ask.profile.as_deref().unwrap_or("ALIAS"));
    Ok(probed)
}

/// Where to ask: in the profile's region, at a host its owner agreed to.
fn endpoint(app: &App, provider: &ProviderManifest, profile: Option<&Profile>, wanted: Option<&str>) -> Result<Endpoint> {
    let none = || Error::unsupported(format!("provider {} has no endpoint to ask", provider.id));
    let Some(profile) = profile else {
        return match choose_url(provider, wanted)? {
            Some((url, format)) => {
                let like = provider.endpoints.iter().find(|e| e.format == format).cloned().ok_or_else(none)?;
                Ok(Endpoint { base_url: url, region: None, ..like })
            }
            None => account::listing(provider, wanted.or(provider.default_region.as_deref())).ok_or_else(none),
        };
    };
    if profile.provider != provider.id {
        return Err(Error::invalid(format!("profile {} uses provider {}, not {}", profile.alias, profile.provider, provider.id))
            .hint(format!("ask that one: clown providers probe {} --profile {}", profile.provider, profile.alias)));
    }
    of_profile(app, provider, profile, wanted)
}

pub(crate) fn of_profile(app: &App, provider: &ProviderManifest, profile: &Profile, wanted: Option<&str>) -> Result<Endpoint> {
    let mut profile = profile.clone();
    if let Some(wanted) = wanted {
        profile.endpoint = Some(wanted.to_owned());
    }
    let resolved = resolve(&app.manifests.snapshot(), &profile)?;
    keys::check_hosts(&profile, &resolved)?;
    let choice = resolved.choice.ok_or_else(|| Error::unsupported(format!("provider {} has no endpoint to ask", provider.id)))?;
    let listing = account::listing(provider, choice.endpoint.region.as_deref()).filter(|_| !choice.own_url);
    // Not at another host than the owner agreed to.
    let agreed = |e: &Endpoint| approval_host(&e.base_url).is_some_and(|host| profile.approved_hosts.contains(&host));
    Ok(listing.filter(agreed).unwrap_or(choice.endpoint))
}

fn key(
    app: &App,
    provider: &ProviderManifest,
    profile: Option<&Profile>,
    input: Option<KeyText>,
    caller: &Caller,
) -> Result<Option<Secret>> {
    match (input, profile) {
        (Some(key), _) => clean_key(key.expose()).map(Some),
        (None, None) => Ok(None),
        (None, Some(profile)) => {
            let resolved = resolve(&app.manifests.snapshot(), profile)?;
            match keys::for_run(app, &caller.env, profile, &resolved)? {
                ForRun::Held(key) => Ok(Some(key)),
                ForRun::None => Ok(None),
                ForRun::Client(_) => {
                    Err(Error::unsupported(format!("the key of profile {} is read at each run, where it runs", profile.alias))
                        .hint(format!("ask from the command line: clown providers probe {} --profile {}", provider.id, profile.alias)))
                }
            }
        }
    }
}

fn look(app: &App, provider: &ProviderManifest, endpoint: &Endpoint, key: Option<&Secret>) -> Probed {
    let mut probed = Probed {
        provider: provider.id.to_string(),
        url: None,
        outcome: Outcome::Unknown,
        message: format!("the manifest of {} names no list of models", provider.id),
        fix: None,
        status: None,
        milliseconds: None,
        models: Vec::new(),
    };
    // The check first: an open list of models says nothing of a key.
    let check = account::check_url(provider, endpoint).filter(|_| key.is_some());
    let urls = check.map(|url| (url, false)).into_iter().chain(account::models_url(provider, endpoint).map(|url| (url, true)));
    for (url, list) in urls {
        let told = asked(app, endpoint, key, false, &url);
        probed.url = Some(url);
        (probed.status, probed.milliseconds) = match &told {
            Ok(told) => (Some(told.status), Some(u64::try_from(told.elapsed.as_millis()).unwrap_or(u64::MAX))),
            Err(_) => (None, None),
        };
        let models = told.as_ref().ok().filter(|t| list && t.status == 200).and_then(|told| account::models(&told.body));
        (probed.outcome, probed.message) = verdict(provider, endpoint, key.is_some(), told, !list || models.is_some());
        probed.models = models.unwrap_or_default();
        if probed.outcome != Outcome::Ok {
            break;
        }
    }
    if probed.outcome == Outcome::Ok {
        let key = if key.is_some() { "the key is good" } else { "it answers" };
        probed.message = match probed.models.len() {
            0 => key.to_owned(),
            n => format!("{key}: {n} models"),
        };
    }
    probed
}

pub(crate) fn asked(app: &App, endpoint: &Endpoint, key: Option<&Secret>, bare: bool, url: &str) -> Result<Told, Unreached> {
    let headers = account::headers(endpoint, key, bare);
    app.seams.fetch.ask(&Asking { url, headers, max: LONGEST, limit: LIMIT })
}

/// Outcome and sentence. `read`: whether a 200 is what it should be.
pub(crate) fn verdict(
    provider: &ProviderManifest,
    endpoint: &Endpoint,
    with_key: bool,
    told: Result<Told, Unreached>,
    read: bool,
) -> (Outcome, String) {
    let host = crate::base::url::host(&endpoint.base_url).unwrap_or_default();
    let told = match told {
        Ok(told) => told,
        Err(Unreached { why, message }) => {
            let outcome = match why {
                Why::Name => Outcome::NoSuchName,
                Why::Route => Outcome::NoRoute,
                Why::Connection => Outcome::NoConnection,
                Why::Tls => Outcome::Tls,
                Why::Slow => Outcome::TooSlow,
                Why::Other => Outcome::Failed,
            };
            return (outcome, message);
        }
    };
    match told.status {
        200 if read => (Outcome::Ok, String::new()),
        200 => (Outcome::WrongUrl, format!("{host} answers, but not with what was asked for: the address is another service's")),
        status if account::key_refused(status, &told.body) => {
            if with_key || endpoint.auth == AuthScheme::None {
                (Outcome::KeyRefused, format!("{host} refuses the key (status {status})"))
            } else {
                (Outcome::Reached, format!("{host} answers; no key was given, so nothing is known of one"))
            }
        }
        402 => (Outcome::NothingLeft, format!("{host} takes the key, and says that nothing is left to spend")),
        301..=308 => (Outcome::WrongUrl, format!("{host} leads elsewhere (status {}), where no key is sent", told.status)),
        404 | 405 | 410 => (Outcome::WrongUrl, format!("{host} has nothing at this address (status {})", told.status)),
        429 => (Outcome::AskedTooOften, format!("{host} was asked too often (status 429)")),
        500.. => (Outcome::ProviderTrouble, format!("{host} has trouble of its own (status {})", told.status)),
        status => (Outcome::Failed, format!("{host} answered {} with status {status}", provider.id)),
    }
}

fn fix(provider: &ProviderManifest, outcome: Outcome, alias: &str) -> Option<String> {
    let id = &provider.id;
    Some(match outcome {
        Outcome::Ok => return None,
        Outcome::Reached => format!("give a key: clown providers probe {id} --profile {alias}, or --api-key-stdin"),
        Outcome::KeyRefused => match &provider.key_url {
            Some(url) => format!("get another key at {url}, then: clown profiles edit {alias} --api-key-stdin"),
            None => format!("give the profile another key: clown profiles edit {alias} --api-key-stdin"),
        },
        Outcome::NothingLeft => format!("see what is left: clown quota; pay at {}", provider.homepage.as_deref().unwrap_or("the provider")),
        Outcome::WrongUrl => format!("compare the address: clown providers inspect {id}"),
        Outcome::AskedTooOften => "wait a minute and try again".into(),
        Outcome::ProviderTrouble | Outcome::TooSlow => "try again later, or look at the provider's status page".into(),
        Outcome::NoSuchName => {
            format!("see whether the network and its names work, then compare the address: clown providers inspect {id}")
        }
        Outcome::NoRoute => "see whether this machine has a network".into(),
        Outcome::NoConnection => "see whether the server runs, and whether a firewall or a proxy is in between".into(),
        Outcome::Tls => "see whether somebody is in between, and whether the clock of this machine is right".into(),
        Outcome::Unknown => "run an agent once to see whether the key works".into(),
        Outcome::Failed => "see the log: clown daemon logs".into(),
    })
}
