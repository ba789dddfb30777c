"""The `google-genai` package."""

import base64
import warnings

from google import genai
from google.genai import errors, types

from matrix import QUESTION, RESULT, SYSTEM, TOOLS, failed, seen

# What the SDK does not know of a reply it tells as a warning.
warnings.simplefilter("error")
STOPS = {"STOP": "end", "MAX_TOKENS": "max", "SAFETY": "refusal"}


class Client:
    def __init__(self, url, key, image):
        options = types.HttpOptions(base_url=url, timeout=60_000)
        self.sdk = genai.Client(api_key=key, vertexai=False, http_options=options)
        self.image = image

    def __call__(self, case):
        try:
            chunks = self.reply(case["model"], case, self.question(case["ask"]))
            if case["ask"] == "again":
                chunks = self.reply(case["then"], case, self.question("again") + self.answered(chunks))
        except errors.APIError as error:
            return failed(type(error).__name__, error.code, error.message)
        return told(chunks)

    def question(self, ask):
        parts = [types.Part.from_text(text=QUESTION)]
        if ask == "image":
            parts.append(types.Part.from_bytes(data=base64.b64decode(self.image), mime_type="image/png"))
        return [types.Content(role="user", parts=parts)]

    def answered(self, chunks):
        # As the SDK's own chats keep history: thoughts are not given back, signatures are.
        parts = [p for chunk in chunks for p in chunk.candidates[0].content.parts if not p.thought]
        calls = [p.function_call for p in parts if p.function_call]
        results = [
            types.Part(function_response=types.FunctionResponse(id=c.id, name=c.name, response={"output": RESULT})) for c in calls
        ]
        return [types.Content(role="model", parts=parts), types.Content(role="user", parts=results)]

    def reply(self, model, case, contents):
        function = lambda t: types.FunctionDeclaration(
            name=t["name"], description=t["description"], parameters_json_schema=t["schema"]
        )
        config = types.GenerateContentConfig(
            system_instruction=SYSTEM,
            max_output_tokens=2000,
            tools=[types.Tool(function_declarations=[function(t) for t in TOOLS])],
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )
        if case["ask"] in ("think", "again"):
            config.thinking_config = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
        if not case["stream"]:
            return [self.sdk.models.generate_content(model=model, contents=contents, config=config)]
        return list(self.sdk.models.generate_content_stream(model=model, contents=contents, config=config))


def told(chunks):
    candidates = [chunk.candidates[0] for chunk in chunks]
    assert [bool(c.finish_reason) for c in candidates] == [False] * (len(chunks) - 1) + [True], "only the last one says why"
    parts = [part for candidate in candidates for part in candidate.content.parts]
    calls = [part.function_call for part in parts if part.function_call]
    assert len({call.id for call in calls}) == len(calls) and all(call.id for call in calls), "ids of calls differ"
    assert len({(chunk.response_id, chunk.model_version) for chunk in chunks}) == 1
    usage = chunks[-1].usage_metadata
    thoughts = usage.thoughts_token_count or 0
    output = (usage.candidates_token_count or 0) + thoughts
    assert usage.total_token_count == usage.prompt_token_count + output
    return seen(
        "".join(part.text for part in parts if part.text and not part.thought),
        "".join(part.text for part in parts if part.text and part.thought),
        [{"name": call.name, "args": call.args} for call in calls],
        STOPS[candidates[-1].finish_reason.value],
        {
            "input": usage.prompt_token_count - (usage.cached_content_token_count or 0),
            "cache_read": usage.cached_content_token_count or 0,
            "cache_write": 0,
            "output": output,
            "reasoning": thoughts,
        },
    )
