"""The `openai` package, Responses."""

import json

import openai

from matrix import QUESTION, RESULT, SYSTEM, TOOLS, failed, seen

ENDS = ("response.completed", "response.incomplete", "response.failed")


class Failed(Exception):
    """The terminal event of a reply that failed: this SDK raises nothing for it."""


class Client:
    def __init__(self, url, key, image):
        self.sdk = openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0, timeout=60, _strict_response_validation=True)
        self.image = image

    def __call__(self, case):
        try:
            response = self.response(case["model"], case, self.question(case["ask"]))
            if case["ask"] == "again":
                response = self.response(case["then"], case, self.question("again") + self.answered(response))
        except openai.APIStatusError as error:
            return failed(type(error).__name__, error.status_code, error.body["message"])
        except Failed as error:
            return failed("response.failed", 0, str(error))
        return told(response)

    def question(self, ask):
        content = [{"type": "input_text", "text": QUESTION}]
        if ask == "image":
            content.append({"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64," + self.image})
        return [{"role": "user", "content": content}]

    def answered(self, response):
        calls = [item for item in response.output if item.type == "function_call"]
        results = [{"type": "function_call_output", "call_id": call.call_id, "output": RESULT} for call in calls]
        items = [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in response.output]
        return [*items, *results]

    def response(self, model, case, items):
        request = {"model": model, "instructions": SYSTEM, "input": items, "max_output_tokens": 2000, "store": False}
        function = lambda t: {"name": t["name"], "description": t["description"], "parameters": t["schema"], "strict": False}
        request["tools"] = [{"type": "function", **function(t)} for t in TOOLS]
        if case["ask"] in ("think", "again"):
            request.update(reasoning={"effort": "low", "summary": "auto"}, include=["reasoning.encrypted_content"])
        if not case["stream"]:
            return self.sdk.responses.create(**request)
        events, done = [], []
        with self.sdk.responses.stream(**request) as stream:
            for event in stream:
                events.append(event)
        assert [event.sequence_number for event in events] == list(range(len(events)))
        assert [e.type for e in events[:2]] == ["response.created", "response.in_progress"]
        last = events[-1]
        assert sum(event.type in ENDS for event in events) == 1 and last.type in ENDS, last
        if last.type == "response.failed":
            raise Failed(last.response.error.message)
        # The deltas, the items and the response at the end tell the same.
        texts = "".join(e.delta for e in events if e.type in ("response.output_text.delta", "response.refusal.delta"))
        assert texts == told(last.response)["text"], texts
        done = [event.item for event in events if event.type == "response.output_item.done"]
        kept = [item for item in last.response.output if getattr(item, "status", None) != "incomplete"]
        strip = lambda items: [item.model_dump(exclude={"parsed_arguments"}, exclude_none=True) for item in items]
        assert [i["id"] for i in strip(done)][: len(kept)] == [i["id"] for i in strip(kept)]
        return last.response


def told(response):
    items = {kind: [i for i in response.output if i.type == kind] for kind in ("message", "reasoning", "function_call")}
    assert sum(map(len, items.values())) == len(response.output), response.output
    parts = [part for item in items["message"] for part in item.content]
    refused = any(part.type == "refusal" for part in parts)
    calls = [{"name": i.name, "args": json.loads(i.arguments)} for i in items["function_call"]]
    assert len({i.call_id for i in items["function_call"]}) == len(calls), "ids of calls differ"
    reason = response.incomplete_details.reason if response.status == "incomplete" else response.status
    stops = {"completed": "end", "max_output_tokens": "max", "content_filter": "refusal"}
    usage, details = response.usage, response.usage.input_tokens_details
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    return seen(
        "".join(part.refusal if part.type == "refusal" else part.text for part in parts),
        "".join(part.text for item in items["reasoning"] for part in item.summary),
        calls,
        "refusal" if refused else stops[reason],
        {
            "input": usage.input_tokens - details.cached_tokens - details.cache_write_tokens,
            "cache_read": details.cached_tokens,
            "cache_write": details.cache_write_tokens,
            "output": usage.output_tokens,
            "reasoning": usage.output_tokens_details.reasoning_tokens,
        },
    )
