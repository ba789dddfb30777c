//! Text to [`File`] and back, with the place of a mistake.

use std::fmt;

use super::file::File;

/// Where and why a file is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// 1-based; 0 when unknown.
    pub line: u64,
    /// Dotted, such as `router_settings.rules[0].condition`; empty when the whole is no YAML.
    pub key: String,
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Mistake {}

pub fn load(text: &str) -> Result<File, Mistake> {
    let mut path = String::new();
    let read = serde_saphyr::with_deserializer_from_str(text, |yaml| {
        serde_path_to_error::deserialize(yaml).map_err(|e| {
            path = e.path().to_string();
            e.into_inner()
        })
    });
    read.map_err(|e| {
        let line = e.location().map_or(0, |l| l.line());
        let whole = e.without_snippet().to_string();
        let message = whole.lines().next().unwrap_or_default().split(" at line ").next().unwrap_or_default().to_owned();
        Mistake { line, key: if path == "." { String::new() } else { path }, message }
    })
}

/// The file's text, with a line at the top that says whose it is.
pub fn emit(file: &File) -> Result<String, Mistake> {
    let body = serde_saphyr::to_string(file).map_err(|e| Mistake { line: 0, key: String::new(), message: e.to_string() })?;
    Ok(format!("# Written by clown from the profile; change it with: clown proxy route, clown proxy alias\n{body}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_has_its_line_and_key() {
        for (text, line, key, says) in [
            (
                "model_list:\n  - model_name: a/b\n    litellm_params: {model: a/b, format: nonsense}\n",
                3,
                "model_list[0].litellm_params.format",
                "nonsense",
            ),
            ("model_list: []\nrouter_settings:\n  cooldown_time: soon\n", 3, "router_settings.cooldown_time", "u64"),
            ("model_list: [\n", 1, "model_list", "unclosed"),
            ("server: {port: 8080}\n", 1, "", "model_list"),
            ("model_list: []\nserver: {port: 99999}\n", 2, "server.port", ""),
        ] {
            let mistake = load(text).unwrap_err();
            assert!(line == 0 || mistake.line == line, "{text}: {mistake:?}");
            assert_eq!(mistake.key, key, "{mistake:?}");
            assert!(mistake.message.contains(says), "{mistake:?}");
        }
    }

    #[test]
    fn what_is_written_reads_back_whatever_the_text() {
        let text = "model_list:\n  - model_name: 'a/b: \"#c'\n    litellm_params: {model: a/b, api_key: '${K}'}\nrouter_settings:\n  rules:\n    - {name: 'it''s: \"odd\"\n  x', condition: 'model ~ \"x*\"', model: [a/b, a/c]}\n";
        let file = load(text).unwrap();
        let again = load(&emit(&file).unwrap()).unwrap();
        assert_eq!(again.model_list[0].model_name.value, "a/b: \"#c");
        assert_eq!(again.router_settings.rules[0].name, file.router_settings.rules[0].name);
        assert_eq!(again.router_settings.rules[0].condition.as_ref().unwrap().value, "model ~ \"x*\"");
        assert_eq!(again.router_settings.rules[0].model.list().len(), 2);
    }
}
