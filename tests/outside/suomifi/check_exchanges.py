"""Holds requests and answers that the stand-in has kept to an OpenAPI description.

`check_exchanges.py <description> <exchanges.jsonl>`
"""

import json
import pathlib
import sys
from collections import Counter
from urllib.parse import parse_qsl

import yaml
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

HOST = "https://api.messages.suomi.fi"


class Request:
    """As openapi-core asks for one."""

    def __init__(self, exchange):
        self.host_url = HOST
        self.path = exchange["path"]
        self.method = exchange["method"].lower()
        self.content_type = exchange["content_type"]
        self.body = exchange["body"].encode("latin-1")
        headers = Headers()
        if exchange["has_token"]:
            headers["Authorization"] = "hidden"
        query = parse_qsl(exchange["query"], keep_blank_values=True)
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(query), header=headers, cookie=ImmutableMultiDict()
        )


class Response:
    """As openapi-core asks for one."""

    def __init__(self, answer):
        self.status_code = answer["status"]
        self.content_type = answer["content_type"]
        self.headers = Headers({"traceId": answer["trace_id"]})
        self.data = answer["body"].encode("latin-1")


def main(description, exchanges):
    api = OpenAPI.from_dict(yaml.safe_load(pathlib.Path(description).read_text("utf-8")))
    held = Counter()
    for line in pathlib.Path(exchanges).read_text("utf-8").splitlines():
        exchange = json.loads(line)
        request = Request(exchange)
        api.validate_request(request)
        api.validate_response(request, Response(exchange["answer"]))
        held[f"{exchange['path']} {exchange['answer']['status']}"] += 1
    for what, count in sorted(held.items()):
        print(what, count)


main(*sys.argv[1:])
