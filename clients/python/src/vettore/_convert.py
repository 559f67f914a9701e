"""Between Python values and the messages of vettore.v1."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from . import filters, types
from .errors import InvalidArgumentError
from .v1 import collections_pb2, common_pb2, documents_pb2, points_pb2, search_pb2

_METRICS = {
    types.Metric.L2: collections_pb2.METRIC_L2,
    types.Metric.INNER_PRODUCT: collections_pb2.METRIC_INNER_PRODUCT,
    types.Metric.COSINE: collections_pb2.METRIC_COSINE,
}
_METRIC_NAMES = {number: metric for metric, number in _METRICS.items()}
_QUANTIZATIONS = {
    "auto": collections_pb2.QUANTIZATION_AUTO,
    "none": collections_pb2.QUANTIZATION_NONE,
    "sq8": collections_pb2.QUANTIZATION_SQ8,
    "sq4": collections_pb2.QUANTIZATION_SQ4,
    "rabitq": collections_pb2.QUANTIZATION_RABITQ,
}
_QUANTIZATION_NAMES = {number: name for name, number in _QUANTIZATIONS.items()}
_INDEX_KINDS = {
    "keyword": collections_pb2.PAYLOAD_INDEX_KIND_KEYWORD,
    "integer": collections_pb2.PAYLOAD_INDEX_KIND_INTEGER,
    "float": collections_pb2.PAYLOAD_INDEX_KIND_FLOAT,
    "bool": collections_pb2.PAYLOAD_INDEX_KIND_BOOL,
}
_INDEX_KIND_NAMES = {number: name for name, number in _INDEX_KINDS.items()}
_IVF_ENCODINGS = {
    "flat": collections_pb2.IVF_ENCODING_FLAT,
    "pq4": collections_pb2.IVF_ENCODING_PQ4,
    "pq8": collections_pb2.IVF_ENCODING_PQ8,
    "rabitq": collections_pb2.IVF_ENCODING_RABITQ,
}
_IVF_ENCODING_NAMES = {number: name for name, number in _IVF_ENCODINGS.items()}
_DURABILITIES = {
    types.Durability.DURABLE: common_pb2.DURABILITY_DURABLE,
    types.Durability.BUFFERED: common_pb2.DURABILITY_BUFFERED,
}


def id_to_proto(point_id: types.Id) -> common_pb2.PointId:
    """An integer or a string; everything else, booleans included, is refused."""
    if isinstance(point_id, str):
        return common_pb2.PointId(text=point_id)
    if isinstance(point_id, int | np.integer) and not isinstance(point_id, bool):
        if not 0 <= point_id < 2**64:
            raise InvalidArgumentError(f"id: an unsigned 64-bit integer is wanted, got {point_id}")
        return common_pb2.PointId(number=int(point_id))
    raise InvalidArgumentError(f"id: an int or a str is wanted, got {type(point_id).__name__}")


def id_from_proto(message: common_pb2.PointId) -> types.Id:
    """The id of a message."""
    value: types.Id = getattr(message, message.WhichOneof("id"))
    return value


def value_to_proto(value: Any, where: str) -> common_pb2.Value:
    """A JSON value; numpy scalars count as the Python numbers they are."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None:
        return common_pb2.Value(null=True)
    if isinstance(value, bool):
        return common_pb2.Value(boolean=value)
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise InvalidArgumentError(f"{where}: a signed 64-bit integer is wanted, got {value}")
        return common_pb2.Value(integer=value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidArgumentError(f"{where}: a finite number is wanted, got {value}")
        return common_pb2.Value(number=value)
    if isinstance(value, str):
        return common_pb2.Value(text=value)
    if isinstance(value, Mapping):
        return common_pb2.Value(object=payload_to_proto(value, where))
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, bytes | bytearray):
        items = [value_to_proto(item, f"{where}[{i}]") for i, item in enumerate(value)]
        return common_pb2.Value(list=common_pb2.ListValue(values=items))
    raise InvalidArgumentError(f"{where}: a JSON value is wanted, got {type(value).__name__}")


def payload_to_proto(payload: types.Payload, where: str = "payload") -> common_pb2.Payload:
    """A JSON object."""
    message = common_pb2.Payload()
    for key, value in payload.items():
        if not isinstance(key, str):
            raise InvalidArgumentError(f"{where}: keys are strings, got {key!r}")
        message.fields[key].CopyFrom(value_to_proto(value, f"{where}.{key}"))
    return message


def value_from_proto(message: common_pb2.Value) -> Any:
    """The JSON value of a message."""
    kind = message.WhichOneof("kind")
    if kind is None or kind == "null":
        return None
    if kind == "object":
        return payload_from_proto(message.object)
    if kind == "list":
        return [value_from_proto(item) for item in message.list.values]
    return getattr(message, kind)


def payload_from_proto(message: common_pb2.Payload) -> dict[str, Any]:
    """The JSON object of a message."""
    return {key: value_from_proto(message.fields[key]) for key in message.fields}


def floats(
    vector: types.VectorLike, where: str = "vector"
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A one-dimensional float32 array of the vector."""
    array = np.asarray(vector, dtype=np.float32)
    if array.ndim != 1:
        raise InvalidArgumentError(f"{where}: one dimension is wanted, got shape {array.shape}")
    return array


def point_to_proto(point: types.Point) -> points_pb2.Point:
    """A point to write."""
    message = points_pb2.Point(id=id_to_proto(point.id))
    if point.vector is not None:
        message.vectors.add(name="").values.extend(floats(point.vector))
    for name, vector in point.vectors.items():
        message.vectors.add(name=name).values.extend(floats(vector, f"vectors[{name!r}]"))
    if point.payload:
        message.payload.CopyFrom(payload_to_proto(point.payload))
    return message


def stored_point_from_proto(message: points_pb2.StoredPoint) -> types.StoredPoint:
    """A point as it stands."""
    return types.StoredPoint(
        id=id_from_proto(message.id),
        version=message.version,
        payload=payload_from_proto(message.payload),
        vectors={v.name: np.asarray(v.values, dtype=np.float32) for v in message.vectors},
    )


def document_to_proto(document: types.Document) -> documents_pb2.Document:
    """A document to ingest."""
    return documents_pb2.Document(
        id=document.id,
        title=document.title,
        text=document.text,
        metadata=payload_to_proto(document.metadata, "metadata"),
    )


def scalar_to_proto(value: filters.Scalar) -> common_pb2.Scalar:
    """A value that a field is compared with."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return common_pb2.Scalar(boolean=value)
    if isinstance(value, int):
        return common_pb2.Scalar(integer=value)
    if isinstance(value, float):
        return common_pb2.Scalar(number=value)
    if isinstance(value, str):
        return common_pb2.Scalar(text=value)
    raise InvalidArgumentError(f"filter: bool, int, float or str is wanted, got {value!r}")


def filter_to_proto(node: filters.Filter) -> common_pb2.Filter:
    """A filter expression."""
    match node:
        case filters.All(operands):
            return common_pb2.Filter(all=_filter_list(operands))
        case filters.Any(operands):
            return common_pb2.Filter(any=_filter_list(operands))
        case filters.Not(operand):
            return common_pb2.Filter(negate=filter_to_proto(operand))
        case filters.Equals(field, value):
            equals = common_pb2.FieldEquals(field=field, value=scalar_to_proto(value))
            return common_pb2.Filter(equals=equals)
        case filters.OneOf(field, values):
            one_of = common_pb2.FieldOneOf(field=field, values=map(scalar_to_proto, values))
            return common_pb2.Filter(one_of=one_of)
        case filters.Range(field, gt, gte, lt, lte):
            bounds = common_pb2.FieldRange(field=field, gt=gt, gte=gte, lt=lt, lte=lte)
            return common_pb2.Filter(range=bounds)
        case filters.Exists(field):
            return common_pb2.Filter(exists=common_pb2.FieldExists(field=field))
        case filters.HasId(ids):
            return common_pb2.Filter(has_id=common_pb2.HasId(ids=map(id_to_proto, ids)))
    raise InvalidArgumentError(f"filter: an expression of vettore.F is wanted, got {node!r}")


def _filter_list(operands: Iterable[filters.Filter]) -> common_pb2.FilterList:
    return common_pb2.FilterList(filters=map(filter_to_proto, operands))


def selection_to_proto(
    payload: bool | Sequence[str], vectors: bool | Sequence[str]
) -> common_pb2.Selection:
    """What a read returns: everything, nothing, or the named parts."""
    return common_pb2.Selection(
        payload=payload if isinstance(payload, bool) else False,
        payload_fields=[] if isinstance(payload, bool) else payload,
        vectors=vectors if isinstance(vectors, bool) else False,
        vector_names=[] if isinstance(vectors, bool) else vectors,
    )


def read_options(min_position: types.Position | None) -> common_pb2.ReadOptions | None:
    """The state that a read must have seen."""
    if min_position is None:
        return None
    position = common_pb2.Position(epoch=min_position.epoch, seq=min_position.seq)
    return common_pb2.ReadOptions(min_position=position)


def write_options(
    durability: types.Durability | str, producer: tuple[str, int] | None = None
) -> common_pb2.WriteOptions:
    """How a write is made."""
    options = common_pb2.WriteOptions(durability=_DURABILITIES[types.Durability(durability)])
    if producer is not None:
        options.producer.id, options.producer.seq = producer
    return options


def position_from_proto(message: common_pb2.Position) -> types.Position:
    """The position of a message."""
    return types.Position(message.epoch, message.seq)


def vector_config_to_proto(config: types.VectorConfig) -> collections_pb2.VectorConfig:
    """One named vector of a collection."""
    message = collections_pb2.VectorConfig(
        name=config.name,
        dimension=config.dimension,
        metric=_METRICS[types.Metric(config.metric)],
    )
    if isinstance(config.index, types.Flat):
        message.flat.SetInParent()
    elif isinstance(config.index, types.Ivf):
        if config.index.encoding not in _IVF_ENCODINGS:
            wanted = ", ".join(_IVF_ENCODINGS)
            raise InvalidArgumentError(f"encoding: one of {wanted}, got {config.index.encoding!r}")
        message.ivf.nlist = config.index.nlist
        message.ivf.nprobe = config.index.nprobe
        message.ivf.encoding = _IVF_ENCODINGS[config.index.encoding]
        message.ivf.pq_m = config.index.pq_m
        message.ivf.opq = config.index.opq
    elif isinstance(config.index, types.Faiss):
        message.faiss.factory = config.index.factory
        message.faiss.search_parameters = config.index.search_parameters
        message.faiss.rerank = config.index.rerank
    else:
        message.hnsw.m = config.index.m
        message.hnsw.ef_construction = config.index.ef_construction
        message.hnsw.ef_search = config.index.ef_search
        if config.index.quantization not in _QUANTIZATIONS:
            wanted = ", ".join(_QUANTIZATIONS)
            raise InvalidArgumentError(
                f"quantization: one of {wanted}, got {config.index.quantization!r}"
            )
        message.hnsw.quantization = _QUANTIZATIONS[config.index.quantization]
    if config.model is not None:
        message.model.name = config.model
        message.model.text_field = config.text_field
    return message


def collection_config_to_proto(
    vectors: Sequence[types.VectorConfig],
    payload_indexes: Mapping[str, str],
    documents: types.Chunking | None,
) -> collections_pb2.CollectionConfig:
    """What a collection is."""
    message = collections_pb2.CollectionConfig(vectors=map(vector_config_to_proto, vectors))
    for field, kind in payload_indexes.items():
        if kind not in _INDEX_KINDS:
            wanted = ", ".join(_INDEX_KINDS)
            raise InvalidArgumentError(f"payload_indexes[{field!r}]: one of {wanted}, got {kind!r}")
        message.payload_indexes.add(field=field, kind=_INDEX_KINDS[kind])
    if documents is not None:
        message.documents.max_tokens = documents.max_tokens
        if documents.overlap_tokens is not None:
            message.documents.overlap_tokens = documents.overlap_tokens
    return message


def _index_from_proto(
    message: collections_pb2.VectorConfig,
) -> types.Flat | types.Hnsw | types.Ivf | types.Faiss:
    kind = message.WhichOneof("index")
    if kind == "flat":
        return types.Flat()
    if kind == "ivf":
        ivf = message.ivf
        encoding = _IVF_ENCODING_NAMES.get(ivf.encoding, "flat")
        return types.Ivf(ivf.nlist, ivf.nprobe, encoding, ivf.pq_m, ivf.opq)
    if kind == "faiss":
        faiss = message.faiss
        return types.Faiss(faiss.factory, faiss.search_parameters, faiss.rerank)
    hnsw = message.hnsw
    quantization = _QUANTIZATION_NAMES.get(hnsw.quantization, "auto")
    return types.Hnsw(hnsw.m, hnsw.ef_construction, hnsw.ef_search, quantization)


def _vector_config_from_proto(message: collections_pb2.VectorConfig) -> types.VectorConfig:
    has_model = message.HasField("model")
    return types.VectorConfig(
        name=message.name,
        dimension=message.dimension,
        metric=_METRIC_NAMES[message.metric],
        index=_index_from_proto(message),
        model=message.model.name if has_model else None,
        text_field=message.model.text_field if has_model else "text",
        fingerprint=message.model.fingerprint,
    )


def collection_from_proto(message: collections_pb2.CollectionInfo) -> types.CollectionInfo:
    """A collection as it stands."""
    config = message.config
    chunking = config.documents
    return types.CollectionInfo(
        name=message.name,
        points=message.points,
        position=position_from_proto(message.position),
        vectors=tuple(map(_vector_config_from_proto, config.vectors)),
        payload_indexes={i.field: _INDEX_KIND_NAMES[i.kind] for i in config.payload_indexes},
        documents=types.Chunking(chunking.max_tokens, chunking.overlap_tokens)
        if config.HasField("documents")
        else None,
        status=tuple(
            types.VectorStatus(
                v.name,
                v.live,
                v.unindexed,
                v.tombstones,
                v.memory_bytes,
                v.mapped_bytes,
                _QUANTIZATION_NAMES.get(v.quantization, ""),
            )
            for v in message.vectors
        ),
        created_unix_ms=message.created_unix_ms,
        aliases=tuple(message.aliases),
        error=message.error,
    )


def _trace_from_proto(message: search_pb2.SearchTrace) -> types.SearchTrace:
    return types.SearchTrace(
        plan=message.plan,
        distances=message.distances,
        tokenize_us=message.tokenize_us,
        embed_us=message.embed_us,
        filter_us=message.filter_us,
        search_us=message.search_us,
        total_us=message.total_us,
        query_truncated=message.query_truncated,
    )


def search_result(response: search_pb2.SearchResponse) -> types.SearchResult:
    """The points of a search."""
    result = types.SearchResult(
        types.ScoredPoint(
            id=id_from_proto(found.point.id),
            version=found.point.version,
            payload=payload_from_proto(found.point.payload),
            vectors={v.name: np.asarray(v.values, dtype=np.float32) for v in found.point.vectors},
            score=found.score,
        )
        for found in response.points
    )
    result.trace = _trace_from_proto(response.trace)
    return result


def passage_result(response: documents_pb2.SearchPassagesResponse) -> types.PassageResult:
    """The passages of a search."""
    result = types.PassageResult(
        types.Passage(
            score=p.score,
            document_id=p.document_id,
            title=p.title,
            chunk=p.chunk,
            begin=p.begin,
            end=p.end,
            text=p.text,
            metadata=payload_from_proto(p.metadata),
        )
        for p in response.passages
    )
    result.trace = _trace_from_proto(response.trace)
    return result
