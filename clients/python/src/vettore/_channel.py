"""How both clients reach the server."""

from __future__ import annotations

import json
from typing import Any

from .v1 import (
    admin_pb2_grpc,
    collections_pb2_grpc,
    documents_pb2_grpc,
    embeddings_pb2_grpc,
    points_pb2_grpc,
    search_pb2_grpc,
)

DEFAULT_ADDRESS = "127.0.0.1:6320"
MAX_MESSAGE_BYTES = 32 << 20

# Calls that may be sent again when the server was not reached: reads, and writes that replace.
_IDEMPOTENT = (
    ("Collections", ("GetCollection", "ListCollections", "ListAliases", "SetAlias")),
    ("Points", ("Upsert", "Get", "Delete", "Scroll", "Count")),
    ("Search", ("Search", "SearchBatch")),
    ("Embeddings", ("ListModels", "Embed")),
    ("Documents", ("UpsertDocuments", "GetDocument", "DeleteDocuments", "SearchPassages")),
    ("Admin", ("GetStatus",)),
)


def options() -> list[tuple[str, Any]]:
    """Message limits of the server, and gRPC's own retry with back-off."""
    policy = {
        "methodConfig": [
            {
                "name": [
                    {"service": f"vettore.v1.{service}", "method": method}
                    for service, methods in _IDEMPOTENT
                    for method in methods
                ],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 3,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
    return [
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", -1),
        ("grpc.service_config", json.dumps(policy)),
        # A client whose server restarts looks for it again within a second.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
    ]


_STUBS: dict[str, Any] = {
    "Collections": collections_pb2_grpc.CollectionsStub,
    "Points": points_pb2_grpc.PointsStub,
    "Search": search_pb2_grpc.SearchStub,
    "Embeddings": embeddings_pb2_grpc.EmbeddingsStub,
    "Documents": documents_pb2_grpc.DocumentsStub,
    "Admin": admin_pb2_grpc.AdminStub,
}


def stubs(channel: Any) -> dict[str, Any]:
    """The stub of each service, by its name."""
    return {service: stub(channel) for service, stub in _STUBS.items()}
