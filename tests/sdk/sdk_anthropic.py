"""The `anthropic` package."""

import base64

import anthropic

from matrix import QUESTION, RESULT, SYSTEM, TOOLS, failed, seen

STOPS = {"end_turn": "end", "tool_use": "tool", "max_tokens": "max", "refusal": "refusal"}


class Client:
    def __init__(self, url, key, image):
        self.sdk = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=60, _strict_response_validation=True)
        self.image = image

    def __call__(self, case):
        try:
            message = self.message(case["model"], case, self.question(case["ask"]))
            if case["ask"] == "again":
                message = self.message(case["then"], case, self.question("again") + self.answered(message))
        except anthropic.APIStatusError as error:
            return failed(type(error).__name__, error.status_code, error.body["error"]["message"])
        return told(message)

    def question(self, ask):
        if ask != "image":
            return [{"role": "user", "content": QUESTION}]
        source = {"type": "base64", "media_type": "image/png", "data": self.image}
        return [{"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": QUESTION}]}]

    def answered(self, message):
        results = [{"type": "tool_result", "tool_use_id": b.id, "content": RESULT} for b in message.content if b.type == "tool_use"]
        content = [block.model_dump(exclude_none=True) for block in message.content]
        return [{"role": "assistant", "content": content}, {"role": "user", "content": results}]

    def message(self, model, case, messages):
        request = {"model": model, "max_tokens": 2000, "system": SYSTEM, "messages": messages}
        request["tools"] = [{"name": t["name"], "description": t["description"], "input_schema": t["schema"]} for t in TOOLS]
        if case["ask"] in ("think", "again"):
            request["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        if not case["stream"]:
            return self.sdk.messages.create(**request)
        with self.sdk.messages.stream(**request) as stream:
            texts = "".join(event.text for event in stream if event.type == "text")
            message = stream.get_final_message()
        assert texts == "".join(b.text for b in message.content if b.type == "text")
        return message


def told(message):
    blocks = {kind: [b for b in message.content if b.type == kind] for kind in ("text", "thinking", "tool_use")}
    assert sum(map(len, blocks.values())) == len(message.content), message.content
    for block in blocks["thinking"]:
        base64.b64decode(block.signature, validate=True)
    calls = [{"name": b.name, "args": b.input} for b in blocks["tool_use"]]
    assert len({b.id for b in blocks["tool_use"]}) == len(calls), "ids of calls differ"
    usage = message.usage
    details = usage.output_tokens_details
    return seen(
        "".join(b.text for b in blocks["text"]),
        "".join(b.thinking for b in blocks["thinking"]),
        calls,
        STOPS[message.stop_reason],
        {
            "input": usage.input_tokens,
            "cache_read": usage.cache_read_input_tokens,
            "cache_write": usage.cache_creation_input_tokens,
            "output": usage.output_tokens,
            "reasoning": details.thinking_tokens if details else 0,
        },
    )
