//! A target has answered: its reply as it is, or in the client's format.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{Response, body::Incoming, header};

use super::{
    attempt::{Attempts, Refused},
    decode::{self, Decoder},
    fail::Failure,
    flow::{Flow, Parts, Source, Work},
    meter::{Measure, Outcome},
    outgoing::Outgoing,
    reply::Reply,
    respond,
    tap::Tap,
};
use crate::proxy::{
    route::Target,
    stream::convert::{Extra, Translator},
    translate::names::Names,
};

pub(super) struct Answered<'t> {
    pub(super) target: &'t Target,
    pub(super) at: usize,
    pub(super) more: bool,
    pub(super) response: Response<Incoming>,
}

enum Look {
    More,
    Useful,
    Failed(Failure),
}

fn seen(translator: &Translator) -> Look {
    match (&translator.seen().error, translator.seen().useful) {
        (Some((kind, message)), false) => Look::Failed(Failure::new(respond::status_of(*kind), message.plain().into_owned())),
        (_, true) => Look::Useful,
        _ => Look::More,
    }
}

impl Attempts<'_> {
    pub(super) async fn pass(&self, answered: Answered<'_>, mut measure: Measure) -> Result<Response<Reply>, (Refused, Measure)> {
        let Answered { target, at, more, response } = answered;
        let (parts, mut body) = response.into_parts();
        let mut headers = parts.headers;
        let stream = respond::is_stream(&headers);
        let encoding = headers.get(header::CONTENT_ENCODING).and_then(|v| v.to_str().ok()).map(str::to_owned);
        // A way of compressing nobody here knows passes through unread.
        let mut decoder = Decoder::of(encoding.as_deref()).unwrap_or(None);
        if decoder.is_some() {
            headers.remove(header::CONTENT_ENCODING);
            headers.remove(header::CONTENT_LENGTH);
        }
        let mut tap = Tap::new(target.format, stream);
        let mut head = VecDeque::new();
        if stream && more {
            let mut probe = Translator::new(target.format, target.format, true, Names::default(), "", 0, &Extra::default());
            let mut nowhere = Vec::new();
            match self
                .look(&mut body, &mut decoder, &mut head, |data| {
                    probe.feed(data, &mut nowhere);
                    nowhere.clear();
                    seen(&probe)
                })
                .await
            {
                Ok(()) => {}
                Err(why) => return Err(self.bad_start(target, why, measure)),
            }
        }
        head.iter().for_each(|piece| tap.feed(piece));
        measure.record.stream = stream;
        measure.record.status = parts.status.as_u16();
        respond::strip(&mut headers);
        let flow = Flow::new(Parts {
            source: Source { body, decoder },
            head,
            work: Work::Pass(tap),
            out: Vec::new(),
            stream: stream.then_some(target.format),
            measure,
            table: self.table.clone(),
            target: at,
            stop: self.engine.stopping(),
        });
        let mut response = Response::new(Reply::Flow(Box::new(flow)));
        *response.status_mut() = parts.status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    pub(super) async fn translate(
        &self,
        answered: Answered<'_>,
        out: Outgoing,
        mut measure: Measure,
    ) -> Result<Response<Reply>, (Refused, Measure)> {
        let Answered { target, at, more, response } = answered;
        let (parts, mut body) = response.into_parts();
        let (from, to) = (target.format, self.call.kind.format);
        let wanted = self.request.is_some_and(|r| r.stream);
        // Who was asked for a stream may call it what they like, unless they say it is something else.
        let came = respond::is_stream(&parts.headers) || wanted && !respond::is_json(&parts.headers);
        let encoding = parts.headers.get(header::CONTENT_ENCODING).and_then(|v| v.to_str().ok());
        let Ok(mut decoder) = Decoder::of(encoding) else {
            return Err(self.bad_start(target, Failure::new(502, "its answer is compressed in a way nobody here knows"), measure));
        };
        let mut translator = Translator::new(from, to, wanted, out.names, &self.call.model, respond::now(), &self.extra);
        measure.record.stream = wanted;
        measure.record.status = 200;
        let mut made = Vec::new();
        if wanted && came {
            if more {
                let mut head = VecDeque::new();
                let looked = self.look(&mut body, &mut decoder, &mut head, |data| {
                    translator.feed(data, &mut made);
                    seen(&translator)
                });
                if let Err(why) = looked.await {
                    return Err(self.bad_start(target, why, measure));
                }
            }
            let flow = Flow::new(Parts {
                source: Source { body, decoder },
                head: VecDeque::new(),
                work: Work::Translate(Box::new(translator)),
                out: made,
                stream: Some(to),
                measure,
                table: self.table.clone(),
                target: at,
                stop: self.engine.stopping(),
            });
            return Ok(respond::event_stream(Reply::Flow(Box::new(flow)), &parts.headers));
        }
        let whole = match self.collect(body, decoder).await {
            Ok(whole) => whole,
            Err(why) => return Err(self.bad_start(target, why, measure)),
        };
        if came {
            translator.feed(&whole, &mut made);
            translator.finish(&mut made);
        } else {
            translator.whole(from, &whole, &mut made);
        }
        let usage = translator.usage();
        measure.tokens((usage != Default::default()).then_some(usage), translator.raw.take());
        measure.record.reply = translator.seen().id.as_ref().map(|id| id.plain().into_owned());
        if let Some((kind, message)) = &translator.seen().error {
            let failure = Failure::new(respond::status_of(*kind), message.plain().into_owned());
            return Err(self.bad_start(target, failure, measure));
        }
        measure.first_byte();
        measure.ended(Outcome::Ok);
        if wanted {
            return Ok(respond::event_stream(Reply::full(made), &parts.headers));
        }
        match translator.body() {
            Ok(body) => Ok(respond::json(200, body, &parts.headers)),
            Err((kind, message)) => {
                Err(self.bad_start(target, Failure::new(respond::status_of(kind), message.plain().into_owned()), measure))
            }
        }
    }

    /// Reads a stream until it is known whether it answers or fails.
    async fn look(
        &self,
        body: &mut Incoming,
        decoder: &mut Option<Decoder>,
        head: &mut VecDeque<Bytes>,
        mut feed: impl FnMut(&[u8]) -> Look,
    ) -> Result<(), Failure> {
        loop {
            let piece = tokio::time::timeout(self.table.times.idle, body.frame()).await;
            let data = match piece {
                Err(_) => {
                    return Err(Failure::new(
                        504,
                        format!("it began to answer and said nothing for {} s", self.table.times.idle.as_secs()),
                    ));
                }
                Ok(None) => return Err(Failure::new(502, "it ended its answer before it said anything")),
                Ok(Some(Err(_))) => return Err(Failure::new(502, "its connection broke before it said anything")),
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            };
            let data = match decoder {
                None => data,
                Some(decoder) => {
                    decoder.feed(&data).map(Bytes::from).map_err(|_| Failure::new(502, "its compressed answer cannot be read"))?
                }
            };
            let look = feed(&data);
            head.push_back(data);
            match look {
                Look::Useful => return Ok(()),
                Look::Failed(failure) => return Err(failure),
                Look::More => {}
            }
        }
    }

    async fn collect(&self, mut body: Incoming, decoder: Option<Decoder>) -> Result<Bytes, Failure> {
        let mut whole = BytesMut::new();
        loop {
            match tokio::time::timeout(self.table.times.idle, body.frame()).await {
                Err(_) => return Err(Failure::new(504, "its answer stopped in the middle")),
                Ok(Some(Err(_))) => return Err(Failure::new(502, "its connection broke in the middle of the answer")),
                Ok(Some(Ok(frame))) => whole.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Ok(None) => break,
            }
            if whole.len() > decode::MOST {
                return Err(Failure::new(502, "its answer is larger than 64 MiB"));
            }
        }
        match decoder {
            None => Ok(whole.freeze()),
            Some(decoder) => decoder.whole(&whole).map(Bytes::from).map_err(|_| Failure::new(502, "its compressed answer cannot be read")),
        }
    }
}
