"""HolmesGPT's own engine behind its `/api/chat`, on a loopback port, which it prints.

The package on PyPI has the engine, the forms of the requests and the event stream, but not the project's `server.py`, which lies beside the
package in its repository and image. What that file does for `/api/chat` is done here with the same parts of the package: the request's form,
the messages, the engine, the stream. Usage: holmes_server.py (MODEL, OPENAI_API_BASE, OPENAI_API_KEY and HOLMES_API_KEY in the environment).
"""

import json
import logging
import os
import socket
import sys

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # prices come with the package: nothing is fetched

import litellm
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse
from holmes.config import Config
from holmes.core.conversations import build_chat_messages
from holmes.core.models import ChatRequest, ChatResponse
from holmes.core.tools import PrerequisiteCacheMode, ToolsetTag
from holmes.core.tools_utils.filesystem_result_storage import tool_result_storage
from holmes.utils.auth import extract_api_key
from holmes.utils.stream import stream_chat_formatter

logging.basicConfig(stream=sys.stderr, level="WARNING")
config = Config.load_from_env()
dal = config.dal
app = FastAPI()


@app.middleware("http")
async def api_key(request: Request, call_next):
    wanted = os.environ.get("HOLMES_API_KEY", "")
    if wanted and extract_api_key(request) != wanted:
        return JSONResponse(status_code=401, content={"detail": "Invalid or missing API key"})
    return await call_next(request)


@app.get("/api/model")
def model():
    return {"model_name": json.dumps(config.get_models_list())}


def kept_until_the_end(storage, stream):
    try:
        yield from stream
    finally:
        storage.__exit__(None, None, None)


@app.post("/api/chat")
def chat(asked: ChatRequest):
    storage = tool_result_storage()
    results = storage.__enter__()
    try:
        ai = config.create_toolcalling_llm(
            dal=dal,
            toolset_tag_filter=[ToolsetTag.CORE, ToolsetTag.CLUSTER],
            enable_all_toolsets_possible=False,
            prerequisite_cache=PrerequisiteCacheMode.DISABLED,
            reuse_executor=True,
            model=asked.model,
            tool_results_dir=results,
        )
        messages = build_chat_messages(
            asked.ask,
            asked.conversation_history,
            ai=ai,
            config=config,
            additional_system_prompt=asked.additional_system_prompt,
            skills=config.get_skill_catalog(),
        )
        if asked.stream:
            events = ai.call_stream(msgs=messages, response_format=asked.response_format)
            formatted = stream_chat_formatter(events, [], model=asked.model or config.model)
            return StreamingResponse(kept_until_the_end(storage, formatted), media_type="text/event-stream")
        done = ai.call(messages=messages, response_format=asked.response_format)
        storage.__exit__(None, None, None)
        return ChatResponse(analysis=done.result, tool_calls=done.tool_calls, conversation_history=done.messages, metadata=done.metadata)
    except litellm.exceptions.AuthenticationError as error:
        raise HTTPException(status_code=401, detail=error.message)
    except litellm.exceptions.RateLimitError as error:
        raise HTTPException(status_code=429, detail=error.message)
    except Exception as error:  # as its server answers
        raise HTTPException(status_code=500, detail=str(error))


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
