"""Lets LiteLLM itself price requests, without a network.

Usage: prices.py table             writes the package's own price table, as it is
       prices.py cases SEED COUNT  one JSON line for each of COUNT requests, drawn from SEED, after all of the table's models
                                   that have a rule of their own have had theirs
Output of cases: {"model", "tier", "speed", "geo", "ts_ms", "tokens": {...}, "web_searches", "input", "output", "search"}.
"""

import json
import os
import random
import sys
from datetime import datetime, timezone
from pathlib import Path

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["DISABLE_AIOHTTP_TRANSPORT"] = "True"

import litellm
from litellm import _internal_context
from litellm.cost_calculator import cost_per_token
from litellm.llms import get_cost_for_web_search_request
from litellm.types.utils import (
    CacheCreationTokenDetails,
    CompletionTokensDetailsWrapper,
    PromptTokensDetailsWrapper,
    ServerToolUse,
    Usage,
)

litellm.suppress_debug_info = True
TABLE = Path(litellm.__file__).parent / "model_prices_and_context_window_backup.json"
TALKS = ("chat", "responses", "completion", None)
TIERS = [None, "auto", "default", "standard", "batch", "flex", "balanced", "priority", "fast", "ultrafast"]
# A rule of its own: what a plain entry does not have.
RULES = ("_above_", "tiered_pricing", "off_peak", "provider_specific", "_flex", "_priority", "uplift", "reasoning", "web_search_billing")
# Where the lengths of prompts matter, and beside it.
LENGTHS = [0, 1, 1000, 20_000, 32_000, 100_000, 128_000, 200_000, 256_000, 272_000, 512_000, 1_000_000, 2_500_000]


def seller(entry):
    """The provider by which LiteLLM would be asked for this entry."""
    name = entry["litellm_provider"]
    if name.startswith("vertex_ai"):
        return "vertex_ai"
    return {"bedrock_converse": "bedrock", "azure_text": "azure"}.get(name, name)


def prices_tokens(entry):
    names = ("input_cost_per_token", "output_cost_per_token", "tiered_pricing")
    return entry.get("mode") in TALKS and any(entry.get(name) is not None for name in names)


def known_to_itself(name, entry):
    """Some names LiteLLM answers with another entry than the one they are the name of."""
    if name.startswith(f"{seller(entry)}/{seller(entry)}/"):
        return False
    try:
        info = litellm.get_model_info(model=name, custom_llm_provider=seller(entry))
    except Exception:
        return False
    return info["key"] == name


def draw(chance, name, entry):
    length = chance.choice(LENGTHS)
    length = max(0, length + chance.choice([-1, 0, 0, 1, chance.randrange(1, 5000)]))
    cuts = sorted(chance.randrange(length + 1) for _ in range(chance.choice([0, 1, 2, 5])))
    parts = [b - a for a, b in zip([0, *cuts], [*cuts, length])]
    fields = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "cache_write_12h", "cache_write_other"]
    tokens = dict.fromkeys(fields, 0) | dict(zip(chance.sample(fields, len(parts)), parts))
    tokens["output"] = chance.choice([0, 1, 777, 200_000])
    tokens["reasoning"] = chance.choice([0, 0, tokens["output"] // 3, tokens["output"]])
    return {
        "model": name,
        "tier": chance.choice(TIERS),
        "speed": chance.choice([None, None, "standard", "fast"]),
        "geo": chance.choice(["", "", "global", "not_available", "us", "US", "eu", "us-east5"]),
        "ts_ms": 1_790_000_000_000 + chance.randrange(14 * 86_400_000),
        "tokens": tokens,
        "web_searches": chance.choice([0, 0, 1, 3]),
    }


def price(case, entry):
    provider, tokens, searches = seller(entry), case["tokens"], case["web_searches"]
    writes = {key: tokens[f"cache_write_{key}"] for key in ("5m", "1h", "12h")}
    written = sum(writes.values()) + tokens["cache_write_other"]
    prompt = tokens["input"] + tokens["cache_read"] + written
    usage = Usage(
        prompt_tokens=prompt,
        completion_tokens=tokens["output"],
        total_tokens=prompt + tokens["output"],
        prompt_tokens_details=PromptTokensDetailsWrapper(
            cached_tokens=tokens["cache_read"],
            cache_creation_tokens=written,
            cache_creation_token_details=CacheCreationTokenDetails(
                **{f"ephemeral_{key}_input_tokens": count for key, count in writes.items()}
            ),
        ),
        completion_tokens_details=CompletionTokensDetailsWrapper(reasoning_tokens=tokens["reasoning"]),
        server_tool_use=ServerToolUse(web_search_requests=searches),
        speed=case["speed"],
        inference_geo=case["geo"],
    )
    place = None if case["geo"] in ("", "not_available") else case["geo"]
    told = _internal_context._billing_time.set(datetime.fromtimestamp(case["ts_ms"] / 1000, timezone.utc))
    try:
        paid, earned = cost_per_token(
            model=case["model"],
            custom_llm_provider=provider,
            usage_object=usage,
            service_tier=case["tier"],
            data_residency=place if provider == "openai" else None,
            vertex_location=place if provider == "vertex_ai" else None,
        )
    finally:
        _internal_context._billing_time.reset(told)
    search = None
    info = litellm.get_model_info(model=case["model"], custom_llm_provider=provider)
    # The others count other things than requests in the usage.
    if provider in ("anthropic", "gemini", "vertex_ai", "azure_ai", "groq"):
        search = get_cost_for_web_search_request(provider, usage, info)
    return {"input": paid, "output": earned, "search": search}


def cases(seed, count):
    table = json.loads(TABLE.read_text())
    entries = {name: entry for name, entry in table.items() if isinstance(entry, dict) and prices_tokens(entry)}
    entries = {name: entry for name, entry in entries.items() if known_to_itself(name, entry)}
    ruled = [name for name, entry in entries.items() if any(rule in field for field in entry for rule in RULES)]
    chance = random.Random(seed)
    plain = list(entries)
    for at in range(count):
        name = ruled[at] if at < len(ruled) else chance.choice(plain)
        case = draw(chance, name, entries[name])
        print(json.dumps(case | price(case, entries[name])))


def main():
    match sys.argv[1:]:
        case ["table"]:
            sys.stdout.buffer.write(TABLE.read_bytes())
        case ["cases", seed, count]:
            cases(int(seed), int(count))
        case _:
            sys.exit(__doc__)


main()
