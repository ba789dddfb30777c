//! What the logs tell, request by request summed while they are made.

#[derive(Default)]
pub(super) struct Truth {
    pub(super) requests: u64,
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) reasoning: u64,
    pub(super) cache_read: u64,
    pub(super) write_5m: u64,
    pub(super) write_1h: u64,
    pub(super) write_other: u64,
    /// Tellings that are no request.
    pub(super) repeats: u64,
}

impl Truth {
    /// In the names used everywhere.
    pub(super) fn json(&self) -> String {
        let Self { requests, input, output, reasoning, cache_read, write_5m, write_1h, write_other, repeats } = self;
        format!(
            "{{\"requests\":{requests},\"input_tokens\":{input},\"output_tokens\":{output},\"reasoning_tokens\":{reasoning},\"cache_read_tokens\":{cache_read},\"cache_write_5m_tokens\":{write_5m},\"cache_write_1h_tokens\":{write_1h},\"cache_write_other_tokens\":{write_other},\"repeats\":{repeats}}}"
        )
    }
}
