//! Endpoint and model of a profile.

use crate::{
    base::{
        error::{Error, Result, closest},
        glob, url,
    },
    wire::manifest::{AgentManifest, AuthMode, Endpoint, Format, ProviderKind, ProviderManifest},
};

/// The endpoint in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub endpoint: Endpoint,
    /// Whether the user gave the URL.
    pub own_url: bool,
    /// Whether the agent speaks the endpoint's format. Else a proxy must translate.
    pub direct: bool,
}

/// Whether an agent can use a provider, directly or with a proxy that translates.
pub fn fits(agent: &AgentManifest, provider: &ProviderManifest) -> bool {
    let keyed = agent.auth.contains(&AuthMode::Key);
    match provider.kind {
        ProviderKind::Own => agent.auth.contains(&AuthMode::Own),
        ProviderKind::Offline => keyed && agent.formats.iter().any(|f| provider.endpoints.iter().any(|e| e.format == *f)),
        ProviderKind::Remote => keyed && !agent.formats.is_empty() && !provider.endpoints.is_empty(),
    }
}

/// Picks the endpoint: the agent's most preferred format that the provider offers in the wanted
/// region, else the first there is in it. `wanted` is a region, a URL, or nothing. `None` for the
/// agent's own login.
pub fn choose_endpoint(agent: &AgentManifest, provider: &ProviderManifest, wanted: Option<&str>) -> Result<Option<Choice>> {
    if provider.kind == ProviderKind::Own {
        return match wanted {
            None => Ok(None),
            Some(_) => Err(Error::invalid(format!("provider {} uses the agent's own login and has no endpoint to choose", provider.id))
                .hint("leave --endpoint out")),
        };
    }
    let own_url = wanted.filter(|w| w.contains("://"));
    if let Some(text) = own_url {
        check_url(text)?;
    }
    let region = wanted.filter(|_| own_url.is_none()).or(provider.default_region.as_deref().filter(|_| own_url.is_none()));
    let regions = regions(provider);
    if let Some(region) = region
        && !regions.contains(&region)
    {
        let error = Error::invalid(format!("provider {} has no endpoint {region:?}", provider.id));
        return Err(match regions.as_slice() {
            [] => error.hint("it has one endpoint only: leave --endpoint out"),
            some => error.hint(format!("choose one of: {}", some.join(", "))),
        });
    }
    let there = || provider.endpoints.iter().filter(|e| region.is_none() || e.region.as_deref() == region);
    let spoken = agent.formats.iter().find_map(|format| there().find(|e| e.format == *format));
    match spoken.or_else(|| there().next()) {
        Some(endpoint) => {
            let mut endpoint = endpoint.clone();
            if let Some(text) = own_url {
                text.clone_into(&mut endpoint.base_url);
                endpoint.region = None;
            }
            Ok(Some(Choice { endpoint, own_url: own_url.is_some(), direct: spoken.is_some() }))
        }
        None => Err(Error::unsupported(format!("{} cannot use provider {}: it has no endpoint", agent.name, provider.id))),
    }
}

/// A URL of the user's own may get a key.
fn check_url(text: &str) -> Result<()> {
    if url::host(text).is_none() {
        return Err(Error::invalid(format!("{text:?} is not an http(s) URL without user name")).hint("write it like https://host/path"));
    }
    if url::is_open(text) {
        return Err(Error::refused(format!("{text} would send the key unencrypted")).hint("use https://"));
    }
    Ok(())
}

/// A URL of the user's own, for no agent in particular, and the format it is taken to speak. `None` for a region, which must be one.
pub fn choose_url(provider: &ProviderManifest, wanted: Option<&str>) -> Result<Option<(String, Format)>> {
    let Some(wanted) = wanted else { return Ok(None) };
    if wanted.contains("://") {
        check_url(wanted)?;
        return Ok(provider.endpoints.first().map(|e| (wanted.to_owned(), e.format)));
    }
    if regions(provider).contains(&wanted) {
        return Ok(None);
    }
    let error = Error::invalid(format!("provider {} has no endpoint {wanted:?}", provider.id));
    Err(match regions(provider).as_slice() {
        [] => error.hint("it has one endpoint only: leave --endpoint out"),
        some => error.hint(format!("choose one of: {}", some.join(", "))),
    })
}

/// Regions in the order of the manifest.
pub(crate) fn regions(provider: &ProviderManifest) -> Vec<&str> {
    let mut found = Vec::new();
    for region in provider.endpoints.iter().filter_map(|e| e.region.as_deref()) {
        if !found.contains(&region) {
            found.push(region);
        }
    }
    found
}

/// Of a provider where which models there are is the user's doing, and the agent's own default is not one of them.
const NEEDS_MODEL: &str = "needs-model";

/// The model: the user's, else the provider's default, else the agent's. A model the provider does
/// not list comes with a warning where any is allowed, and is refused otherwise; never replaced.
pub fn choose_model(agent: &AgentManifest, provider: &ProviderManifest, wanted: Option<&str>) -> Result<(Option<String>, Option<String>)> {
    let Some(model) = wanted else {
        let default = provider.default_model.clone().or_else(|| agent.default_model.clone()).filter(|m| !m.is_empty());
        if default.is_none() && provider.quirks.iter().any(|q| q == NEEDS_MODEL) {
            return Err(Error::usage(format!("provider {} needs a model to be named", provider.id))
                .hint("name one that it has there: --model NAME"));
        }
        return Ok((default, None));
    };
    if model.is_empty() || model.len() > 200 || model.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Error::invalid(format!("{model:?} is not a model name"))
            .hint(format!("see its models: clown providers inspect {}", provider.id)));
    }
    if provider.models.iter().any(|m| m.id == model) || provider.models.is_empty() {
        return Ok((Some(model.to_owned()), None));
    }
    let listed = || provider.models.iter().map(|m| m.id.as_str());
    let near = closest(model, listed()).map(|m| format!("did you mean {m}"));
    if provider.any_model {
        let hint = near.map(|n| format!("; {n}?")).unwrap_or_default();
        return Ok((
            Some(model.to_owned()),
            Some(format!("provider {} does not list model {model:?}; it is used as given{hint}", provider.id)),
        ));
    }
    let error = Error::invalid(format!("provider {} has no model {model:?}", provider.id));
    Err(match near {
        Some(near) => error.hint(near),
        None => error.hint(format!("choose one of: {}", listed().collect::<Vec<_>>().join(", "))),
    })
}

/// Warns about a key that does not look like one of this provider.
pub fn check_key_shape(provider: &ProviderManifest, key: &str) -> Option<String> {
    let pattern = provider.key_pattern.as_deref().filter(|p| !glob::matches(p, key))?;
    Some(format!("the key does not look like one of {} (they look like {pattern})", provider.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(formats: &str) -> AgentManifest {
        toml::from_str(&format!(
            "schema = 1\nid = \"a\"\nname = \"A\"\nbinaries = [\"a\"]\nformats = [{formats}]\nauth = [\"key\"]\nscript = \"a\"\n\
             [isolation]\ndefault = \"home-wrapper\"\nmodes = [\"home-wrapper\"]\nconfig_dir = \".a\"\nisolated = [\".a\"]\n"
        ))
        .unwrap()
    }

    fn provider(extra: &str) -> ProviderManifest {
        toml::from_str(&format!(
            "schema = 1\nid = \"p\"\nname = \"P\"\ndefault_region = \"world\"\ndefault_model = \"big-model\"\n{extra}\n\
             [[endpoints]]\nregion = \"world\"\nformat = \"openai-chat\"\nbase_url = \"https://w.example/v1\"\nauth = \"bearer\"\n\
             [[endpoints]]\nregion = \"world\"\nformat = \"anthropic\"\nbase_url = \"https://w.example/a\"\nauth = \"x-api-key\"\n\
             [[endpoints]]\nregion = \"china\"\nformat = \"openai-chat\"\nbase_url = \"https://c.example/v1\"\nauth = \"bearer\"\n\
             [[models]]\nid = \"big-model\"\n[[models]]\nid = \"small-model\"\n"
        ))
        .unwrap()
    }

    #[test]
    fn the_agents_preferred_format_in_the_wanted_region() {
        let (a, p) = (agent("\"anthropic\", \"openai-chat\""), provider(""));
        let url = |wanted| choose_endpoint(&a, &p, wanted).map(|c| c.unwrap().endpoint.base_url);
        assert_eq!(url(None).unwrap(), "https://w.example/a");
        assert_eq!(url(Some("china")).unwrap(), "https://c.example/v1");
        assert_eq!(url(Some("https://mine.example/x")).unwrap(), "https://mine.example/x");
        assert_eq!(url(Some("http://127.0.0.1:9/x")).unwrap(), "http://127.0.0.1:9/x");
        assert!(url(Some("mars")).is_err());
        assert!(url(Some("http://mine.example/x")).is_err());
        let foreign = choose_endpoint(&agent("\"gemini\""), &p, None).unwrap().unwrap();
        assert!(!foreign.direct, "only through a proxy");
        assert_eq!(foreign.endpoint.base_url, "https://w.example/v1");
        let china = choose_endpoint(&agent("\"anthropic\""), &p, Some("china")).unwrap().unwrap();
        assert_eq!((china.direct, china.endpoint.base_url.as_str()), (false, "https://c.example/v1"));
        assert!(choose_endpoint(&a, &p, None).unwrap().unwrap().direct);
        assert!(fits(&agent("\"gemini\""), &p) && fits(&a, &p));
    }

    #[test]
    fn a_model_is_never_replaced() {
        let a = agent("\"anthropic\"");
        let closed = provider("");
        assert_eq!(choose_model(&a, &closed, None).unwrap(), (Some("big-model".into()), None));
        assert_eq!(choose_model(&a, &closed, Some("small-model")).unwrap().0.as_deref(), Some("small-model"));
        assert!(choose_model(&a, &closed, Some("smal-model")).is_err());
        let (model, warning) = choose_model(&a, &provider("any_model = true"), Some("smal-model")).unwrap();
        assert_eq!(model.as_deref(), Some("smal-model"));
        assert!(warning.unwrap().contains("did you mean small-model"));
        assert!(choose_model(&a, &closed, Some("a b")).is_err());
        let mut bare = provider("any_model = true\nquirks = [\"needs-model\"]");
        assert!(choose_model(&a, &bare, None).is_ok());
        bare.default_model = None;
        assert!(choose_model(&a, &bare, None).is_err() && choose_model(&a, &bare, Some("mine")).is_ok());
    }
}
