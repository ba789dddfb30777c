//! `/metrics`: the daemon's figures as Prometheus reads them (text format 0.0.4).

use std::fmt::Write;

use crate::wire::metrics::{Family, Kind, Metrics, Point};

pub(super) const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn text(metrics: &Metrics) -> String {
    let mut out = String::new();
    for family in &metrics.families {
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        // Writing to a text cannot fail.
        let _ = writeln!(
            out,
            "# HELP {} {}\n# TYPE {} {kind}",
            family.name,
            family.help.replace('\\', r"\\").replace('\n', r"\n"),
            family.name
        );
        family.points.iter().for_each(|point| write(&mut out, family, point));
    }
    out
}

fn write(out: &mut String, family: &Family, point: &Point) {
    let name = &family.name;
    if let Some(value) = point.value {
        let _ = writeln!(out, "{name}{} {value}", labels(point, None));
    }
    let Some(spread) = &point.spread else { return };
    let mut below = 0;
    for (n, count) in spread.counts.iter().enumerate() {
        below += count;
        let end = spread.bounds.get(n).map_or_else(|| "+Inf".to_owned(), f64::to_string);
        let _ = writeln!(out, "{name}_bucket{} {below}", labels(point, Some(&end)));
    }
    let _ = writeln!(out, "{name}_sum{0} {1}\n{name}_count{0} {2}", labels(point, None), spread.sum, spread.count());
}

fn labels(point: &Point, end: Option<&str>) -> String {
    let own = point.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<String> = own
        .chain(end.map(|end| ("le", end)))
        .map(|(name, value)| format!("{name}=\"{}\"", value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")))
        .collect();
    if all.is_empty() { String::new() } else { format!("{{{}}}", all.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::metrics::Spread;

    #[test]
    fn classes_add_up_and_names_cannot_break_out() {
        let spread = Spread { bounds: vec![0.5, 1.0], counts: vec![2, 0, 3], sum: 9.5 };
        let points = vec![Point { labels: [("p".to_owned(), "a\"b\\c\nd".to_owned())].into(), value: None, spread: Some(spread) }];
        let family = Family { name: "x_seconds".into(), help: "Time.".into(), kind: Kind::Histogram, unit: "s".into(), points };
        let metrics = Metrics { since: String::new(), families: vec![family] };
        let p = r#"p="a\"b\\c\nd""#;
        assert_eq!(
            text(&metrics),
            format!(
                "# HELP x_seconds Time.\n# TYPE x_seconds histogram\nx_seconds_bucket{{{p},le=\"0.5\"}} 2\nx_seconds_bucket{{{p},le=\"1\"}} 2\n\
                 x_seconds_bucket{{{p},le=\"+Inf\"}} 5\nx_seconds_sum{{{p}}} 9.5\nx_seconds_count{{{p}}} 5\n"
            )
        );
    }
}
