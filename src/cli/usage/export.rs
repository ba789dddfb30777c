//! `clown usage export`

use std::fmt::Write;

use super::{
    super::{
        connect::Daemon,
        output::{Output, write_stdout},
    },
    args,
};
use crate::{
    base::error::{Error, Result},
    wire::usage::{Export, Request},
};

args::limited! {
    /// Print every request as JSON, CSV or one JSON document a line. Nothing of what was said is in it.
    #[argh(subcommand, name = "export", example = "clown usage export --format csv --period month")]
    ExportArgs
    {
        /// json, csv or ndjson (default)
        #[argh(option, arg_name = "word", default = "String::from(\"ndjson\")")]
        format: String,
    }
    /// today, yesterday, week, month, 7d, 30d or all (default)
    period
    {}
}

#[derive(Clone, Copy, PartialEq)]
enum Format {
    Json,
    Csv,
    Lines,
}

impl ExportArgs {
    pub(super) fn run(mut self, output: Output) -> Result<i32> {
        let format = match self.format.as_str() {
            _ if output.json => Format::Json,
            "json" => Format::Json,
            "csv" => Format::Csv,
            "ndjson" | "jsonl" => Format::Lines,
            other => return Err(Error::usage(format!("--format cannot be {other:?}")).hint("use one of: json, csv, ndjson")),
        };
        let select = self.limits().select(None)?;
        let mut daemon = Daemon::needed(output)?;
        let mut from = Some(0);
        let mut written = 0_usize;
        let mut known = false;
        if format == Format::Csv {
            write_stdout(HEAD);
        }
        while let Some(at) = from {
            let page = daemon.call(&Export { select: select.clone(), from: at })?;
            let mut text = String::new();
            for request in &page.requests {
                match format {
                    Format::Csv => text += &csv(request),
                    Format::Lines => text += &(serde_json::to_string(request).unwrap_or_default() + "\n"),
                    Format::Json => {
                        let _ = write!(
                            text,
                            "{}  {}",
                            if written == 0 { "[\n" } else { ",\n" },
                            serde_json::to_string(request).unwrap_or_default()
                        );
                    }
                }
                written += 1;
            }
            write_stdout(&text);
            (from, known) = (page.next, known || page.known);
        }
        if format == Format::Json {
            write_stdout(if written == 0 { "[]\n" } else { "\n]\n" });
        }
        if written == 0 {
            args::nothing(output, known, args::filters(&select));
        }
        Ok(0)
    }
}

const HEAD: &str = "time,agent,profile,provider,model,project,session,key,input_tokens,output_tokens,reasoning_tokens,cache_read_tokens,cache_write_5m_tokens,cache_write_1h_tokens,cache_write_12h_tokens,cache_write_other_tokens,total_tokens,requests,cost_usd,partial,web_searches,sidechain,aborted,source_cost_usd\n";

fn csv(request: &Request) -> String {
    let figures = &request.figures;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let cells = [
        request.time.clone(),
        request.agent.clone(),
        text(&request.profile),
        text(&request.provider),
        request.model.clone(),
        text(&request.project),
        request.session.clone(),
        request.key.clone(),
        figures.input_tokens.to_string(),
        figures.output_tokens.to_string(),
        figures.reasoning_tokens.to_string(),
        figures.cache_read_tokens.to_string(),
        figures.cache_write_5m_tokens.to_string(),
        figures.cache_write_1h_tokens.to_string(),
        figures.cache_write_12h_tokens.to_string(),
        figures.cache_write_other_tokens.to_string(),
        figures.total_tokens.to_string(),
        figures.requests.to_string(),
        number(figures.cost_usd),
        figures.partial.to_string(),
        request.web_searches.to_string(),
        request.sidechain.to_string(),
        request.aborted.to_string(),
        number(request.source_cost_usd),
    ];
    cells.map(|cell| quoted(&cell)).join(",") + "\n"
}

/// RFC 4180. A name that a spreadsheet would take for a formula gets a quote before it.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '@', '\t', '\r']) || (cell.starts_with('-') && cell.parse::<f64>().is_err());
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_as_many_cells_as_the_head_and_no_formula() {
        let request = Request { project: Some("/w/a,\"b\"".into()), model: "=cmd()".into(), ..Request::default() };
        let line = csv(&request);
        assert!(line.contains("\"/w/a,\"\"b\"\"\"") && line.contains("'=cmd()"), "{line}");
        assert_eq!(csv(&Request::default()).matches(',').count(), HEAD.matches(',').count());
        assert_eq!([quoted("-1.5"), quoted("-x")], ["-1.5", "'-x"]);
    }
}
