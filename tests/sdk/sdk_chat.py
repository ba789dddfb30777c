"""The `openai` package, Chat Completions."""

import json

import openai

from matrix import QUESTION, RESULT, SYSTEM, TOOLS, failed, seen

STOPS = {"stop": "end", "tool_calls": "tool", "length": "max", "content_filter": "refusal"}


class Client:
    def __init__(self, url, key, image):
        self.sdk = openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0, timeout=60, _strict_response_validation=True)
        self.image = image

    def __call__(self, case):
        try:
            message, reply = self.reply(case["model"], case, self.question(case["ask"]))
            if case["ask"] == "again":
                message, reply = self.reply(case["then"], case, self.question("again") + self.answered(message))
        except openai.APIStatusError as error:
            return failed(type(error).__name__, error.status_code, error.body["message"])
        except openai.APIError as error:
            return failed(type(error).__name__, 0, error.message)
        return told(message, reply)

    def question(self, ask):
        content = QUESTION
        if ask == "image":
            url = "data:image/png;base64," + self.image
            content = [{"type": "text", "text": QUESTION}, {"type": "image_url", "image_url": {"url": url}}]
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": content}]

    def answered(self, message):
        results = [{"role": "tool", "tool_call_id": call.id, "content": RESULT} for call in message.tool_calls]
        calls = [call.model_dump(include={"id", "type", "function"}) for call in message.tool_calls]
        for call in calls:
            call["function"] = {key: call["function"][key] for key in ("name", "arguments")}
        reasoning = getattr(message, "reasoning_content", None)
        return [{"role": "assistant", "content": message.content, "reasoning_content": reasoning, "tool_calls": calls}, *results]

    def reply(self, model, case, messages):
        request = {"model": model, "max_completion_tokens": 2000, "messages": messages}
        function = lambda t: {"name": t["name"], "description": t["description"], "parameters": t["schema"]}
        request["tools"] = [{"type": "function", "function": function(t)} for t in TOOLS]
        if case["ask"] in ("think", "again"):
            request["reasoning_effort"] = "low"
        if not case["stream"]:
            reply = self.sdk.chat.completions.create(**request)
            return reply.choices[0].message, reply
        text, thought, refusal = [], [], []
        with self.sdk.chat.completions.stream(**request, stream_options={"include_usage": True}) as stream:
            for event in stream:
                if event.type == "chunk" and event.chunk.choices:
                    delta = event.chunk.choices[0].delta
                    text.append(delta.content or "")
                    thought.append(getattr(delta, "reasoning_content", None) or "")
                    refusal.append(delta.refusal or "")
            try:
                reply = stream.get_final_completion()
            except (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError):
                # The helper's way to say so; what it put together is there all the same.
                reply = stream.current_completion_snapshot
        message = reply.choices[0].message
        assert ("".join(text), "".join(refusal)) == (message.content or "", message.refusal or ""), message
        message.reasoning_content = "".join(thought)
        return message, reply


def told(message, reply):
    calls = [{"name": c.function.name, "args": json.loads(c.function.arguments)} for c in message.tool_calls or []]
    assert len({c.id for c in message.tool_calls or []}) == len(calls), "ids of calls differ"
    usage, prompt = reply.usage, reply.usage.prompt_tokens_details
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    return seen(
        (message.content or "") + (message.refusal or ""),
        getattr(message, "reasoning_content", None) or "",
        calls,
        "refusal" if message.refusal else STOPS[reply.choices[0].finish_reason],
        {
            "input": usage.prompt_tokens - prompt.cached_tokens - prompt.cache_write_tokens,
            "cache_read": prompt.cached_tokens,
            "cache_write": prompt.cache_write_tokens,
            "output": usage.completion_tokens,
            "reasoning": usage.completion_tokens_details.reasoning_tokens,
        },
    )
