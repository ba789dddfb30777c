//! Upstreams that behave oddly, or badly: every SDK sees the reply all the same, or an error of its own; never a reply that only looks whole.

use super::*;

/// Odd, and the reply is still all there.
const ODD: [&str; 3] = ["multibyte.cut1", "tools3.gzip", "think-tool.cut7"];
/// In streams alone: whole replies of the wrong type are for the SDK to judge.
const ODD_STREAMS: [&str; 1] = ["tool.type"];
const REFUSED: [&str; 2] = ["text.status429", "text.status401"];
/// In streams alone: a whole reply that breaks off is a broken connection.
const BROKEN_STREAMS: [&str; 1] = ["text.drop"];
/// Toward others alone: to a client of its own format an upstream's bytes go as they are.
const GARBAGE: [&str; 1] = ["text.garbage"];

fn check(client: Format) {
    let cast = Cast::start();
    let names = [&ODD[..], &ODD_STREAMS, &REFUSED, &BROKEN_STREAMS, &GARBAGE].concat();
    let engine = Engine::start(&cast, &names);
    let all = |names: &[&'static str], modes: &[bool]| cases(&Format::ALL, names, modes, engine::model);
    let see = |cases: &[Case], want: &dyn Fn(&Case) -> Value| compare(client, &engine.url, CLIENT_KEY, cases, want);

    see(&[all(&ODD, &[true, false]), all(&ODD_STREAMS, &[true])].concat(), &scripted(client));
    see(&all(&REFUSED, &[true, false]), &|case| {
        let status = case.name.rsplit("status").next().unwrap().parse().unwrap();
        expect::refused(client, status, "told to fail")
    });
    see(&all(&BROKEN_STREAMS, &[true]), &|_| expect::broke(client, 500, "the upstream's connection broke in the middle of the reply"));
    let foreign: Vec<Case> = all(&GARBAGE, &[true, false]).into_iter().filter(|case| case.upstream != client).collect();
    see(&foreign, &|case| if case.streamed { expect::broke(client, 500, BROKEN) } else { expect::refused(client, 502, BROKEN) });
}

/// Words that stand in what is told of bytes that are no reply.
const BROKEN: &str = "the upstream sent a broken";

for_each_client!(check);
