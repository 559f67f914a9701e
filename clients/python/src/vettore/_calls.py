"""Every operation once: from Python arguments to a request, and from the response to Python values.

`Client` and `AsyncClient` turn these functions into methods; the docstrings are theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from . import _convert as convert
from . import types
from .errors import InvalidArgumentError
from .filters import Filter
from .v1 import (
    admin_pb2,
    collections_pb2,
    documents_pb2,
    embeddings_pb2,
    points_pb2,
    search_pb2,
)

T = TypeVar("T")

_INPUT_TYPES = {
    types.InputType.DOCUMENT: embeddings_pb2.INPUT_TYPE_DOCUMENT,
    types.InputType.QUERY: embeddings_pb2.INPUT_TYPE_QUERY,
}


@dataclass(frozen=True)
class Call(Generic[T]):
    """One unary call, ready to be sent."""

    method: str  # "Service.Method"
    request: Any
    parse: Callable[[Any], T]
    timeout: float | None


def _nothing(_: Any) -> None:
    return None


def create_collection(
    name: str,
    *,
    dimension: int = 0,
    metric: types.Metric | str = types.Metric.COSINE,
    index: types.Flat | types.Hnsw | types.Ivf | types.Faiss | None = None,
    model: str | None = None,
    vectors: Sequence[types.VectorConfig] | None = None,
    payload_indexes: Mapping[str, str] | None = None,
    documents: types.Chunking | bool = False,
    timeout: float | None = None,
) -> Call[types.CollectionInfo]:
    """Create a collection.

    The common case has one vector, described by `dimension`, `metric`, `index` and `model`; pass
    `vectors` for several named ones. `payload_indexes` maps dotted payload fields to "keyword",
    "integer", "float" or "bool". With `documents` the collection takes documents; it needs a
    `model`.

    >>> client.create_collection("images", dimension=512, metric="l2")
    >>> client.create_collection("handbook", model="all-MiniLM-L6-v2", documents=True)
    """
    if vectors is None:
        vectors = [types.VectorConfig(dimension, metric, index or types.Hnsw(), model)]
    elif dimension or model or index:
        raise InvalidArgumentError("pass either `vectors` or `dimension`, `index` and `model`")
    chunking = types.Chunking() if documents is True else (documents or None)
    config = convert.collection_config_to_proto(vectors, payload_indexes or {}, chunking)
    request = collections_pb2.CreateCollectionRequest(name=name, config=config)
    return Call(
        "Collections.CreateCollection",
        request,
        lambda r: convert.collection_from_proto(r.collection),
        timeout,
    )


def get_collection(name: str, *, timeout: float | None = None) -> Call[types.CollectionInfo]:
    """Describe a collection, by name or alias."""
    request = collections_pb2.GetCollectionRequest(name=name)
    return Call(
        "Collections.GetCollection",
        request,
        lambda r: convert.collection_from_proto(r.collection),
        timeout,
    )


def list_collections(*, timeout: float | None = None) -> Call[list[types.CollectionInfo]]:
    """All collections, by name."""
    return Call(
        "Collections.ListCollections",
        collections_pb2.ListCollectionsRequest(),
        lambda r: [convert.collection_from_proto(c) for c in r.collections],
        timeout,
    )


def delete_collection(name: str, *, timeout: float | None = None) -> Call[None]:
    """Delete a collection with its points and aliases."""
    request = collections_pb2.DeleteCollectionRequest(name=name)
    return Call("Collections.DeleteCollection", request, _nothing, timeout)


def set_alias(alias: str, collection: str, *, timeout: float | None = None) -> Call[None]:
    """Point an alias at a collection; moves it in one step when it exists."""
    request = collections_pb2.SetAliasRequest(alias=alias, collection=collection)
    return Call("Collections.SetAlias", request, _nothing, timeout)


def delete_alias(alias: str, *, timeout: float | None = None) -> Call[None]:
    """Delete an alias."""
    request = collections_pb2.DeleteAliasRequest(alias=alias)
    return Call("Collections.DeleteAlias", request, _nothing, timeout)


def list_aliases(*, timeout: float | None = None) -> Call[dict[str, str]]:
    """All aliases and their collections."""
    return Call(
        "Collections.ListAliases",
        collections_pb2.ListAliasesRequest(),
        lambda r: {a.alias: a.collection for a in r.aliases},
        timeout,
    )


def upsert_request(
    collection: str,
    points: Sequence[types.Point],
    durability: types.Durability | str,
    producer: tuple[str, int] | None = None,
) -> points_pb2.UpsertRequest:
    """The request of one batch."""
    request = points_pb2.UpsertRequest(
        collection=collection, options=convert.write_options(durability, producer)
    )
    request.points.extend(map(convert.point_to_proto, points))
    return request


def upsert(
    collection: str,
    points: Sequence[types.Point],
    *,
    durability: types.Durability | str = types.Durability.DURABLE,
    timeout: float | None = None,
) -> Call[types.WriteResult]:
    """Add or replace up to 10,000 points, all or none. Every search that starts afterwards sees them.

    >>> client.upsert("images", [vettore.Point(1, vector, {"file": "a.png"})])
    """
    return Call(
        "Points.Upsert",
        upsert_request(collection, points, durability),
        lambda r: types.WriteResult(
            convert.position_from_proto(r.position), r.upserted, r.duplicate
        ),
        timeout,
    )


def columns(
    ids: Sequence[types.Id] | np.ndarray[Any, Any],
    vectors: np.ndarray[Any, Any],
    payloads: Sequence[types.Payload] | None = None,
    name: str = "",
) -> list[types.Point]:
    """Points from columns: ids (n), vectors (n, dimension) and, optionally, payloads (n)."""
    matrix = np.asarray(vectors, dtype=np.float32)
    if matrix.ndim != 2 or len(matrix) != len(ids):
        raise InvalidArgumentError(
            f"vectors: shape ({len(ids)}, dimension) is wanted, got {matrix.shape}"
        )
    if payloads is not None and len(payloads) != len(ids):
        raise InvalidArgumentError(f"payloads: {len(ids)} are wanted, got {len(payloads)}")
    return [
        types.Point(
            point_id.item() if isinstance(point_id, np.generic) else point_id,
            payload=payloads[i] if payloads is not None else {},
            vectors={name: matrix[i]},
        )
        for i, point_id in enumerate(ids)
    ]


def get(
    collection: str,
    ids: Sequence[types.Id],
    *,
    payload: bool | Sequence[str] = True,
    vectors: bool | Sequence[str] = False,
    min_position: types.Position | None = None,
    timeout: float | None = None,
) -> Call[list[types.StoredPoint]]:
    """Points by id, in the order asked; ids that do not exist are left out.

    `payload` and `vectors` select: all, none, or the named fields and vectors.
    """
    request = points_pb2.GetRequest(
        collection=collection,
        ids=map(convert.id_to_proto, ids),
        selection=convert.selection_to_proto(payload, vectors),
        read=convert.read_options(min_position),
    )
    return Call(
        "Points.Get",
        request,
        lambda r: [convert.stored_point_from_proto(p) for p in r.points],
        timeout,
    )


def delete(
    collection: str,
    ids: Sequence[types.Id] = (),
    *,
    filter: Filter | None = None,
    durability: types.Durability | str = types.Durability.DURABLE,
    timeout: float | None = None,
) -> Call[types.WriteResult]:
    """Delete points by ids, by filter, or both, in one atomic write.

    >>> client.delete("images", filter=vettore.F("year") < 2000)
    """
    request = points_pb2.DeleteRequest(
        collection=collection,
        ids=map(convert.id_to_proto, ids),
        filter=None if filter is None else convert.filter_to_proto(filter),
        options=convert.write_options(durability),
    )
    return Call(
        "Points.Delete",
        request,
        lambda r: types.WriteResult(
            convert.position_from_proto(r.position), r.deleted, r.duplicate
        ),
        timeout,
    )


@dataclass(frozen=True)
class Page:
    """One page of a scroll; `next` starts the following one."""

    points: list[types.StoredPoint]
    next: types.Id | None


def scroll_page(
    collection: str,
    *,
    filter: Filter | None = None,
    from_id: types.Id | None = None,
    limit: int = 1000,
    payload: bool | Sequence[str] = True,
    vectors: bool | Sequence[str] = False,
    min_position: types.Position | None = None,
    timeout: float | None = None,
) -> Call[Page]:
    """One page of points by id: numbers first, then strings by bytes. `limit`: 1 to 10,000."""
    request = points_pb2.ScrollRequest(
        collection=collection,
        filter=None if filter is None else convert.filter_to_proto(filter),
        from_id=None if from_id is None else convert.id_to_proto(from_id),
        limit=limit,
        selection=convert.selection_to_proto(payload, vectors),
        read=convert.read_options(min_position),
    )
    return Call(
        "Points.Scroll",
        request,
        lambda r: Page(
            [convert.stored_point_from_proto(p) for p in r.points],
            convert.id_from_proto(r.next) if r.HasField("next") else None,
        ),
        timeout,
    )


def count(
    collection: str,
    *,
    filter: Filter | None = None,
    min_position: types.Position | None = None,
    timeout: float | None = None,
) -> Call[int]:
    """How many points match."""
    request = points_pb2.CountRequest(
        collection=collection,
        filter=None if filter is None else convert.filter_to_proto(filter),
        read=convert.read_options(min_position),
    )
    return Call("Points.Count", request, lambda r: int(r.count), timeout)


def search(
    collection: str,
    query: str | types.VectorLike,
    *,
    k: int = 10,
    offset: int = 0,
    vector_name: str = "",
    filter: Filter | None = None,
    score_threshold: float | None = None,
    ef_search: int | None = None,
    nprobe: int | None = None,
    exact: bool = False,
    payload: bool | Sequence[str] = True,
    vectors: bool | Sequence[str] = False,
    min_position: types.Position | None = None,
    timeout: float | None = None,
) -> Call[types.SearchResult]:
    """The k nearest points to a vector, or to a text where the vector has a model; best first.

    With a filter, k points come back whenever k match. `ef_search` (1 to 4,096; of a graph) and
    `nprobe` (1 to 65,536; of an IVF index) trade speed for recall; `exact` compares with every
    point.

    >>> client.search("images", vector, k=5, filter=vettore.F("year") >= 2000)
    """
    _check_counts(k=k, offset=offset)
    request = search_pb2.SearchRequest(
        collection=collection,
        vector_name=vector_name,
        k=k,
        offset=offset,
        filter=None if filter is None else convert.filter_to_proto(filter),
        score_threshold=score_threshold,
        ef_search=ef_search,
        nprobe=nprobe,
        exact=exact,
        selection=convert.selection_to_proto(payload, vectors),
        read=convert.read_options(min_position),
    )
    if isinstance(query, str):
        request.text = query
    else:
        request.vector.values.extend(convert.floats(query, "query"))
    return Call("Search.Search", request, convert.search_result, timeout)


def search_batch(
    collection: str,
    queries: Iterable[str | types.VectorLike | Mapping[str, Any]],
    *,
    k: int = 10,
    vector_name: str = "",
    filter: Filter | None = None,
    ef_search: int | None = None,
    nprobe: int | None = None,
    exact: bool = False,
    payload: bool | Sequence[str] = True,
    vectors: bool | Sequence[str] = False,
    min_position: types.Position | None = None,
    timeout: float | None = None,
) -> Call[list[types.SearchResult]]:
    """Up to 1,000 searches at once: what `search` finds for each, sooner. All are answered, or none.

    A query is a vector, a text, or, where it differs from the others in more, a mapping of the
    arguments of `search` that are its own.

    >>> client.search_batch("images", array_of_vectors, k=5)
    >>> client.search_batch("images", [{"query": v, "filter": vettore.F("year") == y} for v, y in pairs])
    """
    shared = {
        "k": k,
        "vector_name": vector_name,
        "filter": filter,
        "ef_search": ef_search,
        "nprobe": nprobe,
        "exact": exact,
        "payload": payload,
        "vectors": vectors,
    }
    request = search_pb2.SearchBatchRequest(
        collection=collection, read=convert.read_options(min_position)
    )
    for query in queries:
        own = query if isinstance(query, Mapping) else {"query": query}
        request.searches.append(search("", **{**shared, **own}).request)
    return Call(
        "Search.SearchBatch",
        request,
        lambda r: [convert.search_result(result) for result in r.results],
        timeout,
    )


def _check_counts(**counts: int) -> None:
    for name, value in counts.items():
        if value < 0:
            raise InvalidArgumentError(f"{name}: not negative is wanted, got {value}")


def documents_request(
    collection: str,
    documents: Sequence[types.Document],
    durability: types.Durability | str,
    producer: tuple[str, int] | None = None,
) -> documents_pb2.UpsertDocumentsRequest:
    """The request of one batch."""
    request = documents_pb2.UpsertDocumentsRequest(
        collection=collection, options=convert.write_options(durability, producer)
    )
    request.documents.extend(map(convert.document_to_proto, documents))
    return request


def upsert_documents(
    collection: str,
    documents: Sequence[types.Document],
    *,
    durability: types.Durability | str = types.Durability.DURABLE,
    timeout: float | None = None,
) -> Call[types.DocumentsResult]:
    """Chunk, embed and store documents in one atomic write; one that was there is replaced whole.

    >>> client.upsert_documents("handbook", [vettore.Document("intro", "Vettore is ...")])
    """
    return Call(
        "Documents.UpsertDocuments",
        documents_request(collection, documents, durability),
        lambda r: types.DocumentsResult(
            convert.position_from_proto(r.position),
            r.documents,
            r.chunks,
            r.tokens,
            r.replaced_chunks,
            r.duplicate,
        ),
        timeout,
    )


def get_document(
    collection: str, document_id: str, *, timeout: float | None = None
) -> Call[types.Document]:
    """The document as it was stored."""
    request = documents_pb2.GetDocumentRequest(collection=collection, id=document_id)
    return Call(
        "Documents.GetDocument",
        request,
        lambda r: types.Document(
            r.document.id,
            r.document.text,
            r.document.title,
            convert.payload_from_proto(r.document.metadata),
        ),
        timeout,
    )


def delete_documents(
    collection: str,
    ids: Sequence[str],
    *,
    durability: types.Durability | str = types.Durability.DURABLE,
    timeout: float | None = None,
) -> Call[types.WriteResult]:
    """Delete documents with all their passages; ids that do not exist are no error."""
    request = documents_pb2.DeleteDocumentsRequest(
        collection=collection, ids=ids, options=convert.write_options(durability)
    )
    return Call(
        "Documents.DeleteDocuments",
        request,
        lambda r: types.WriteResult(
            convert.position_from_proto(r.position), r.documents, r.duplicate
        ),
        timeout,
    )


def search_passages(
    collection: str,
    text: str,
    *,
    k: int = 10,
    offset: int = 0,
    filter: Filter | None = None,
    score_threshold: float | None = None,
    ef_search: int | None = None,
    nprobe: int | None = None,
    exact: bool = False,
    min_position: types.Position | None = None,
    timeout: float | None = None,
) -> Call[types.PassageResult]:
    """The passages nearest to a question, best first. Filters see metadata under "metadata.".

    >>> for passage in client.search_passages("handbook", "How do I install it?", k=3):
    ...     print(passage.score, passage.document_id, passage.text)
    """
    _check_counts(k=k, offset=offset)
    request = documents_pb2.SearchPassagesRequest(
        collection=collection,
        text=text,
        k=k,
        offset=offset,
        filter=None if filter is None else convert.filter_to_proto(filter),
        score_threshold=score_threshold,
        ef_search=ef_search,
        nprobe=nprobe,
        exact=exact,
        read=convert.read_options(min_position),
    )
    return Call("Documents.SearchPassages", request, convert.passage_result, timeout)


def list_models(*, timeout: float | None = None) -> Call[list[types.Model]]:
    """The models in the server's models directory."""
    return Call(
        "Embeddings.ListModels",
        embeddings_pb2.ListModelsRequest(),
        lambda r: [
            types.Model(
                m.name,
                m.dimension,
                m.max_tokens,
                m.pooling,
                m.normalized,
                m.query_prompt,
                m.document_prompt,
                m.fingerprint,
                m.parameters,
                m.error,
            )
            for m in r.models
        ],
        timeout,
    )


def embed(
    texts: Sequence[str],
    *,
    model: str = "",
    input_type: types.InputType | str = types.InputType.DOCUMENT,
    truncate: bool = True,
    timeout: float | None = None,
) -> Call[types.Embeddings]:
    """Embed texts. `model` may be left out when the server has one.

    Without `truncate` a text that is too long is refused.

    >>> client.embed(["a text", "another"]).vectors.shape
    (2, 384)
    """
    if isinstance(texts, str):
        raise InvalidArgumentError("texts: a list of strings is wanted, got one string")
    request = embeddings_pb2.EmbedRequest(
        model=model,
        texts=texts,
        input_type=_INPUT_TYPES[types.InputType(input_type)],
        truncation=embeddings_pb2.TRUNCATION_END if truncate else embeddings_pb2.TRUNCATION_ERROR,
    )
    return Call("Embeddings.Embed", request, _embeddings, timeout)


def _embeddings(response: embeddings_pb2.EmbedResponse) -> types.Embeddings:
    return types.Embeddings(
        vectors=np.array([e.values for e in response.embeddings], dtype=np.float32),
        tokens=np.array([e.tokens for e in response.embeddings], dtype=np.int64),
        truncated=np.array([e.truncated for e in response.embeddings], dtype=np.bool_),
        model=response.model,
        fingerprint=response.fingerprint,
    )


def status(*, timeout: float | None = None) -> Call[types.Status]:
    """The server as it is."""
    return Call(
        "Admin.GetStatus",
        admin_pb2.GetStatusRequest(),
        lambda r: types.Status(
            version=r.version,
            uptime_s=r.uptime_s,
            instruction_set=r.instruction_set,
            threads=r.threads,
            collections=r.collections,
            points=r.points,
            disk_bytes=r.disk_bytes,
            memory_bytes=r.memory_bytes,
            resident_bytes=r.resident_bytes,
            embedded_texts=r.embedded_texts,
            embedded_tokens=r.embedded_tokens,
            models=tuple(r.models),
        ),
        timeout,
    )
