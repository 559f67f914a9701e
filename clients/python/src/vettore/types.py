"""What goes into the client and comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .errors import VettoreError

Id: TypeAlias = int | str
"""An unsigned 64-bit integer, or a string of at most 256 bytes."""
Payload: TypeAlias = Mapping[str, Any]
"""A JSON object; integers stay exact."""
Vector: TypeAlias = NDArray[np.float32]
VectorLike: TypeAlias = Sequence[float] | NDArray[Any]


class Metric(str, Enum):
    """How near two vectors are."""

    COSINE = "cosine"
    INNER_PRODUCT = "inner_product"
    L2 = "l2"


class Durability(str, Enum):
    """When a write is acknowledged: after fsync, or once the operating system has it."""

    DURABLE = "durable"
    BUFFERED = "buffered"


class InputType(str, Enum):
    """Which prompt of the model a text gets."""

    DOCUMENT = "document"
    QUERY = "query"


@dataclass(frozen=True, order=True)
class Position:
    """A place in a collection's log: every write returns one, every read accepts a minimum one."""

    epoch: int
    seq: int


@dataclass(frozen=True)
class Flat:
    """Exact search over all vectors."""


@dataclass(frozen=True)
class Hnsw:
    """A graph index. `m`: 4 to 128; `ef_construction`: m to 4,096; `ef_search`: 1 to 4,096.

    quantization: what a search measures first, before the nearest are measured again with their vectors: "auto", "none"
    (32 bits a value), "sq8" (8 bits), "sq4" (4 bits) or "rabitq" (1 bit).
    """

    m: int = 16
    ef_construction: int = 128
    ef_search: int = 128
    quantization: str = "auto"


@dataclass(frozen=True)
class Ivf:
    """Inverted lists around centroids, trained in the background once enough vectors are there.

    nlist: lists, to 65,536; 0 follows the count. nprobe: lists a search scans, to nlist; 0 follows
    nlist. encoding: "flat" (the vectors), "pq4" or "pq8" (product quantization with codes of 4 or 8
    bits) or "rabitq" (one bit a value); all but the first are reranked. pq_m: of pq4 and pq8, codes
    a vector, a divisor of the dimension; 0 follows the dimension. opq: of pq4 and pq8, a rotation
    that is learned with the codes.
    """

    nlist: int = 0
    nprobe: int = 0
    encoding: str = "flat"
    pq_m: int = 0
    opq: bool = False


@dataclass(frozen=True)
class Faiss:
    """An index of the FAISS library, built in the background from the vectors that are there.

    factory: FAISS's own string, as "OPQ32,IVF1024,PQ32". search_parameters: as
    "nprobe=16,quantizer_efSearch=64". rerank: candidates measured again with the vectors for each
    result, to 1,000; 0 chooses.
    """

    factory: str
    search_parameters: str = ""
    rerank: int = 0


@dataclass(frozen=True)
class VectorConfig:
    """One named vector of a collection.

    dimension: 1 to 65,536; 0 takes the model's.
    model: the embedding model that fills the vector from `text_field` of the payload.
    fingerprint: of the model; set by the server.
    """

    dimension: int = 0
    metric: Metric | str = Metric.COSINE
    index: Flat | Hnsw | Ivf | Faiss = field(default_factory=Hnsw)
    model: str | None = None
    text_field: str = "text"
    name: str = ""
    fingerprint: str = ""


@dataclass(frozen=True)
class Chunking:
    """How documents become passages.

    `max_tokens` 0 takes the model's limit; no overlap given, 32 tokens or what fits.
    """

    max_tokens: int = 0
    overlap_tokens: int | None = None


@dataclass(frozen=True)
class VectorStatus:
    """The state of one vector's index: `unindexed` of the `live` vectors are scanned exactly as yet.

    mapped_bytes: of vectors in a file, of which the system keeps in memory what is asked for.
    quantization: of a graph; what it picked, if its config says "auto". "" of other kinds.
    """

    name: str
    live: int
    unindexed: int
    tombstones: int
    memory_bytes: int
    mapped_bytes: int = 0
    quantization: str = ""


@dataclass(frozen=True)
class CollectionInfo:
    """A collection as it stands.

    error: why its data cannot be served, or "". Then calls on it raise DataLossError, and its other
    fields may be unset.
    """

    name: str
    points: int
    position: Position
    vectors: tuple[VectorConfig, ...]
    payload_indexes: Mapping[str, str]
    documents: Chunking | None
    status: tuple[VectorStatus, ...]
    created_unix_ms: int
    aliases: tuple[str, ...]
    error: str = ""


@dataclass
class Point:
    """A point to write.

    vector: of the default vector. vectors: of named ones. Either may be missing, or be filled by
    the collection's model.
    """

    id: Id
    vector: VectorLike | None = None
    payload: Payload = field(default_factory=dict)
    vectors: Mapping[str, VectorLike] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredPoint:
    """A point as it stands. `version` is the `seq` of the write that last changed it."""

    id: Id
    version: int
    payload: dict[str, Any]
    vectors: dict[str, Vector]

    @property
    def vector(self) -> Vector | None:
        """The default vector, when it was asked for and is there."""
        return self.vectors.get("")


@dataclass(frozen=True)
class ScoredPoint(StoredPoint):
    """A found point. `score`: a similarity for cosine and inner product, a distance for L2."""

    score: float


@dataclass(frozen=True)
class SearchTrace:
    """How an answer was found, and microseconds in each step within the server."""

    plan: str
    distances: int
    tokenize_us: int
    embed_us: int
    filter_us: int
    search_us: int
    total_us: int
    query_truncated: bool


class SearchResult(list[ScoredPoint]):
    """Points, best first, and `trace`."""

    trace: SearchTrace


@dataclass(frozen=True)
class WriteResult:
    """An acknowledged write. `changed`: points upserted or deleted."""

    position: Position
    changed: int
    duplicate: bool


@dataclass
class Document:
    """A document to ingest, or as it was stored. `id`: 1 to 200 bytes."""

    id: str
    text: str
    title: str = ""
    metadata: Payload = field(default_factory=dict)


@dataclass(frozen=True)
class DocumentsResult:
    """An acknowledged write of documents."""

    position: Position
    documents: int
    chunks: int
    tokens: int
    replaced_chunks: int
    duplicate: bool


@dataclass(frozen=True)
class Passage:
    """A piece of a document. `begin` and `end` are its byte range in the document's UTF-8 text."""

    score: float
    document_id: str
    title: str
    chunk: int
    begin: int
    end: int
    text: str
    metadata: dict[str, Any]


class PassageResult(list[Passage]):
    """Passages, best first, and `trace`."""

    trace: SearchTrace


@dataclass(frozen=True)
class Model:
    """An embedding model of the server. `error` says why it cannot be loaded."""

    name: str
    dimension: int
    max_tokens: int
    pooling: str
    normalized: bool
    query_prompt: str
    document_prompt: str
    fingerprint: str
    parameters: int
    error: str


@dataclass(frozen=True)
class Embeddings:
    """Embedded texts. `vectors`: (texts, dimension) of float32; `tokens` and `truncated`: (texts)."""

    vectors: Vector
    tokens: NDArray[np.int64]
    truncated: NDArray[np.bool_]
    model: str
    fingerprint: str


@dataclass(frozen=True)
class Status:
    """The server as it is."""

    version: str
    uptime_s: float
    instruction_set: str
    threads: int
    collections: int
    points: int
    disk_bytes: int
    memory_bytes: int
    resident_bytes: int
    embedded_texts: int
    embedded_tokens: int
    models: tuple[str, ...]


@dataclass(frozen=True)
class Progress:
    """How far a stream is: items acknowledged, of `total` where that is known, and seconds since its start."""

    done: int
    total: int | None
    failed: int
    elapsed_s: float


@dataclass(frozen=True)
class BatchFailure:
    """A batch that the server refused: items `first` to `first + count - 1` of the stream."""

    first: int
    count: int
    error: VettoreError


@dataclass
class IngestReport:
    """What a stream did. `position` is that of its last acknowledged write."""

    items: int = 0
    chunks: int = 0
    tokens: int = 0
    duplicates: int = 0
    reconnects: int = 0
    position: Position | None = None
    failures: list[BatchFailure] = field(default_factory=list)
