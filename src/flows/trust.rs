//! What came with the registry and can do more than name models: used only after the user agreed to its text.

use std::borrow::Cow;

use similar::TextDiff;

use crate::{
    app::App,
    base::error::{Error, Result},
    manifests::{self, Found, Script, Snapshot, TemplateFile},
    wire::{
        Done,
        envelope::Caller,
        ids::AgentId,
        manifest::{AgentManifest, Origin, Problem},
        registry::Kind,
        scripts::{ApproveScript, Compared, Review, ReviewScript},
    },
};

/// Longer ones cannot be looked at, so nobody could agree to them.
const MAX_SHOWN: usize = 512 * 1024;

/// Beginning of the name that an agent's commands are agreed to under.
const COMMANDS: &str = "agent:";

/// A text to agree to.
struct Subject<'a> {
    /// A script's name, or a template's agent and name.
    name: String,
    what: &'static str,
    source: Cow<'a, str>,
    hash: Cow<'a, str>,
    file: Option<String>,
    /// What the user would have without the registry.
    before: Option<&'a Script>,
    asks: bool,
}

fn script<'a>(snapshot: &'a Snapshot, found: &'a Found<Script>) -> Subject<'a> {
    let before = snapshot.replaced.get(found.item.name.as_str()).map(|s| &**s);
    Subject {
        name: found.item.name.to_string(),
        what: "script",
        source: found.item.source.as_str().into(),
        hash: found.item.hash.as_str().into(),
        file: found.file.as_ref().map(|f| f.display().to_string()),
        before,
        // The same text as the program's own is the program's own.
        asks: found.origin == Origin::Registry && before.is_none_or(|b| b.hash != found.item.hash),
    }
}

fn template(found: &Found<TemplateFile>) -> Subject<'_> {
    let template = &found.item.template;
    Subject {
        name: format!("{}/{}", template.agent, template.name),
        what: "template",
        source: found.item.source.as_str().into(),
        hash: found.item.hash.as_str().into(),
        file: found.file.as_ref().map(|f| f.display().to_string()),
        before: None,
        asks: found.origin == Origin::Registry && template.reaches_far(),
    }
}

/// The commands of an agent's manifest; the rest of it needs no agreement.
fn commands(found: &Found<AgentManifest>) -> Subject<'_> {
    let source = found.item.commands();
    Subject {
        name: format!("{COMMANDS}{}", found.item.id),
        what: "manifest's commands",
        hash: blake3::hash(source.as_bytes()).to_hex().to_string().into(),
        file: found.file.as_ref().map(|f| f.display().to_string()),
        before: None,
        asks: found.origin == Origin::Registry && !source.is_empty(),
        source: source.into(),
    }
}

fn needs(app: &App, subject: &Subject<'_>) -> Result<bool> {
    Ok(subject.asks && !app.approvals.holds(&subject.name, &subject.hash)?)
}

fn require(app: &App, subject: &Subject<'_>) -> Result<()> {
    if !needs(app, subject)? {
        return Ok(());
    }
    Err(Error::refused(format!("the {} {} came with the registry, and you have not agreed to it as it is now", subject.what, subject.name))
        .hint(format!("read it and agree: clown scripts approve {}", subject.name))
        .review(&subject.name))
}

/// Refuses a script of the registry that the user has not agreed to.
pub(crate) fn require_script(app: &App, snapshot: &Snapshot, found: &Found<Script>) -> Result<()> {
    require(app, &script(snapshot, found))
}

/// Refuses a template of the registry that can run code or move a run, and was not agreed to.
pub(crate) fn require_template(app: &App, found: &Found<TemplateFile>) -> Result<()> {
    require(app, &template(found))
}

/// Refuses commands of a registry's manifest that the user has not agreed to.
pub(crate) fn require_commands(app: &App, found: &Found<AgentManifest>) -> Result<()> {
    require(app, &commands(found))
}

pub(crate) fn script_needs_approval(app: &App, snapshot: &Snapshot, found: &Found<Script>) -> Result<bool> {
    needs(app, &script(snapshot, found))
}

pub(crate) fn template_needs_approval(app: &App, found: &Found<TemplateFile>) -> Result<bool> {
    needs(app, &template(found))
}

/// Whether an entry of a registry is what its kind and id say, and can be used here.
pub fn check_entry(app: &App, kind: Kind, id: &str, bytes: &[u8]) -> Result<(), Problem> {
    manifests::check(kind, id, bytes)?;
    if kind != Kind::Script {
        return Ok(());
    }
    let bad = |message: String| Problem { file: kind.path(id), line: None, key: None, message };
    let source = std::str::from_utf8(bytes).map_err(|e| bad(e.to_string()))?;
    app.scripts.compiles(id, source).map_err(|e| bad(e.to_string()))
}

fn find<'a>(snapshot: &'a Snapshot, name: &str) -> Result<Subject<'a>> {
    if let Some(agent) = name.strip_prefix(COMMANDS) {
        return Ok(commands(snapshot.agent(agent)?));
    }
    match name.split_once('/') {
        Some((agent, name)) => Ok(template(snapshot.template(&AgentId::parse(agent)?, name)?)),
        None => Ok(script(snapshot, snapshot.script(name)?)),
    }
}

pub fn review(app: &App, ask: ReviewScript, _caller: &Caller) -> Result<Review> {
    let snapshot = app.manifests.snapshot();
    let subject = find(&snapshot, &ask.name)?;
    let agreed = app.approvals.last(&subject.name)?;
    let (before, compared) = match (agreed, subject.before) {
        (Some(text), _) => (text, Some(Compared::Agreed)),
        (None, Some(built_in)) => (built_in.source.clone(), Some(Compared::BuiltIn)),
        (None, None) => (String::new(), None),
    };
    let diff = differences(&before, &subject.source);
    if diff.len() > MAX_SHOWN {
        return Err(Error::unsupported(format!("the {} {} is too long to be shown", subject.what, subject.name)));
    }
    Ok(Review {
        approved: !needs(app, &subject)?,
        hash: subject.hash.clone().into_owned(),
        file: subject.file,
        name: subject.name,
        compared,
        diff,
    })
}

/// Lines with `+`, `-` and space, three around each change; nothing in them that a terminal would obey or hide.
fn differences(before: &str, after: &str) -> String {
    let (before, after) = (visible(before), visible(after));
    if before.is_empty() {
        return after.lines().map(|line| format!("+{line}\n")).collect();
    }
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(3).to_string()
}

/// Control characters, and those that turn the direction of writing or take no room, are spelled out.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
        if hidden || (c.is_control() && !matches!(c, '\n' | '\t')) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

pub fn approve(app: &App, ask: ApproveScript, _caller: &Caller) -> Result<Done> {
    let snapshot = app.manifests.snapshot();
    let subject = find(&snapshot, &ask.name)?;
    if ask.hash != subject.hash {
        return Err(Error::conflict(format!("the {} {} is another one than the one that was shown", subject.what, subject.name))
            .hint(format!("look at it again: clown scripts approve {}", subject.name)));
    }
    if needs(app, &subject)? {
        app.approvals.add(&subject.name, &subject.source, app.now())?;
        app.bus.publish("script/approved", &subject.name);
    }
    Ok(Done {})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_text_shows_itself() {
        let shown = differences("", "a\u{1b}[2J\u{1b}]0;x\u{7}b\rc\u{202e}d\u{200b}e\u{9b}f\tg\n");
        assert_eq!(shown, "+a\\u{1b}[2J\\u{1b}]0;x\\u{7}b\\u{d}c\\u{202e}d\\u{200b}e\\u{9b}f\tg\n");
    }

    #[test]
    fn only_what_changed_is_shown() {
        let before = (1..=30).map(|n| format!("line {n}\n")).collect::<String>();
        let shown = differences(&before, &before.replace("line 15\n", "line 15\nevil()\n"));
        assert!(shown.contains("\n+evil()\n") && shown.contains("\n line 15\n") && !shown.contains("line 2\n"), "{shown}");
        assert_eq!(differences("a\n", "a\n"), "");
    }
}
