"""An agent with Python's official MCP client: reads what to do from its standard input, prints what came of it as JSON."""

import asyncio
import copy
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def main(told):
    headers = {"Authorization": f"Bearer {told['token']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
        async with Client(streamable_http_client(told["url"], http_client=http), mode=told["mode"]) as client:

            async def call(name, arguments):
                result = await client.call_tool(name, arguments)
                return bool(result.is_error), result.content[0].text

            listed = await client.list_tools()
            failed, found = await call("search_playbooks", {"signal_type": "OOMKilled"})
            assert not failed, found
            strategy = told["recommendation"]["strategies"][0]
            wrong = copy.deepcopy(strategy)
            wrong["parameters"]["SCALE_TARGET_REPLICAS"] = "one"
            failed, refused = await call("validate_strategy", wrong)
            assert failed, refused
            failed, valid = await call("validate_strategy", strategy)
            assert not failed, valid
            failed, taken = await call("submit_recommendation", told["recommendation"])
            assert not failed, taken
            return {
                "tools": sorted(tool.name for tool in listed.tools),
                "found": json.loads(found)["playbooks"][0]["workflow_id"],
                "refused": refused,
                "valid": json.loads(valid)["valid"],
                "id": json.loads(taken)["recommendation_id"],
            }


print(json.dumps(asyncio.run(main(json.load(sys.stdin)))))
