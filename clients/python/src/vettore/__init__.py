"""Client of Vettore, the embedded vector database server that embeds text itself.

>>> import vettore
>>> with vettore.Client() as client:
...     client.create_collection("handbook", model="all-MiniLM-L6-v2", documents=True)
...     client.ingest("handbook", [vettore.Document("a", "Olives grow on trees.")])
...     for passage in client.search_passages("handbook", "Where do olives grow?", k=3):
...         print(passage.score, passage.document_id, passage.text)
"""

from ._calls import Page, columns
from .aio import AsyncClient
from .client import Client
from .embedded import Database, open
from .errors import (
    AlreadyExistsError,
    DataLossError,
    DeadlineError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    ResourceExhaustedError,
    UnavailableError,
    VettoreError,
)
from .filters import F, Filter, HasId
from .types import (
    BatchFailure,
    Chunking,
    CollectionInfo,
    Document,
    DocumentsResult,
    Durability,
    Embeddings,
    Faiss,
    Flat,
    Hnsw,
    IngestReport,
    InputType,
    Ivf,
    Metric,
    Model,
    Passage,
    PassageResult,
    Point,
    Position,
    Progress,
    ScoredPoint,
    SearchResult,
    SearchTrace,
    Status,
    StoredPoint,
    VectorConfig,
    VectorStatus,
    WriteResult,
)

__version__ = "0.1.0"

__all__ = [
    "AlreadyExistsError",
    "AsyncClient",
    "BatchFailure",
    "Chunking",
    "Client",
    "CollectionInfo",
    "DataLossError",
    "Database",
    "DeadlineError",
    "Document",
    "DocumentsResult",
    "Durability",
    "Embeddings",
    "F",
    "FailedPreconditionError",
    "Faiss",
    "Filter",
    "Flat",
    "HasId",
    "Hnsw",
    "IngestReport",
    "InputType",
    "Ivf",
    "InvalidArgumentError",
    "Metric",
    "Model",
    "NotFoundError",
    "Page",
    "Passage",
    "PassageResult",
    "Point",
    "Position",
    "Progress",
    "ResourceExhaustedError",
    "ScoredPoint",
    "SearchResult",
    "SearchTrace",
    "Status",
    "StoredPoint",
    "UnavailableError",
    "VectorConfig",
    "VectorStatus",
    "VettoreError",
    "WriteResult",
    "columns",
    "open",
]
