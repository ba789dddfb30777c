"""Asks through one vendor's own SDK and tells what it saw.

Usage: matrix.py FORMAT < cases.json
Input: {"url", "key", "image", "cases": [{"id", "model", "stream", "ask": plain|image|think|again, "then"}]}
Output: one JSON line for each case: text, thought, calls, stop and usage in no vendor's words, or the
SDK's own error. Anything else that goes wrong is a traceback in "broken".
"""

import importlib
import json
import sys
import traceback

TOOLS = [
    {
        "name": "get_weather",
        "description": 'The weather "now"',
        "schema": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "its name"},
                "unit": {"type": "string", "enum": ["celsius", "kelvin", "度"]},
            },
            "required": ["city"],
        },
    },
    {"name": "now", "description": "The time", "schema": {"type": "object", "properties": {}}},
]
SYSTEM = "Be brief."
QUESTION = "What is this? 世界"
RESULT = "12 degrees"


def seen(text, thought, calls, stop, usage):
    """The common form. Counts are disjoint, but output includes reasoning."""
    assert all(isinstance(part, str) for part in (text, thought)), (text, thought)
    assert all(isinstance(count, int) for count in usage.values()), usage
    return {"text": text, "thought": thought, "calls": calls, "stop": stop, "usage": usage}


def failed(error, status, message):
    return {"error": error, "status": status, "says": message}


def main():
    client = importlib.import_module("sdk_" + sys.argv[1])
    work = json.load(sys.stdin)
    ask = client.Client(work["url"], work["key"], work["image"])
    for case in work["cases"]:
        try:
            told = ask(case)
        except Exception:
            told = {"broken": traceback.format_exc(limit=-4, chain=False)}
        print(json.dumps({"id": case["id"], **told}), flush=True)


if __name__ == "__main__":
    main()
