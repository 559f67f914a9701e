from __future__ import annotations

import numpy as np
import pytest

from vettore import (
    Chunking,
    F,
    Faiss,
    Flat,
    HasId,
    Hnsw,
    InvalidArgumentError,
    Ivf,
    Point,
    VectorConfig,
)
from vettore import _convert as convert
from vettore.v1 import collections_pb2


def test_a_damaged_collection_says_why():
    message = collections_pb2.CollectionInfo(name="c", error="slot 9: no point")
    assert convert.collection_from_proto(message).error == "slot 9: no point"


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"a": None, "b": True, "c": False},
        {"big": 2**63 - 1, "small": -(2**63), "exact": 2**53 + 1},
        {"double": 0.1, "whole": 1.0},
        {"deep": {"list": [1, "zwei", [3.5], {"vier": None}]}},
    ],
)
def test_payload_comes_back_as_it_went(payload):
    back = convert.payload_from_proto(convert.payload_to_proto(payload))
    assert back == payload
    assert {k: type(v) for k, v in back.items()} == {k: type(v) for k, v in payload.items()}


def test_numpy_values_become_plain_json():
    message = convert.payload_to_proto({"n": np.int32(3), "v": np.array([1.5, 2.5])})
    assert convert.payload_from_proto(message) == {"n": 3, "v": [1.5, 2.5]}


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"a": 2**63}, "payload.a: a signed 64-bit integer"),
        ({"a": {"b": float("nan")}}, "payload.a.b: a finite number"),
        ({"a": [0, object()]}, r"payload.a\[1\]: a JSON value"),
        ({"a": b"bytes"}, "payload.a: a JSON value"),
        ({1: "a"}, "payload: keys are strings"),
    ],
)
def test_payload_that_is_no_json_is_refused_with_its_path(payload, words):
    with pytest.raises(InvalidArgumentError, match=words):
        convert.payload_to_proto(payload)


@pytest.mark.parametrize("point_id", [0, 2**64 - 1, "abc", "ünï"])
def test_ids_come_back(point_id):
    assert convert.id_from_proto(convert.id_to_proto(point_id)) == point_id


@pytest.mark.parametrize("point_id", [-1, 2**64, True, 1.5, None])
def test_other_ids_are_refused(point_id):
    with pytest.raises(InvalidArgumentError, match="id: "):
        convert.id_to_proto(point_id)


def test_filter_expressions_become_the_filters_they_say():
    expression = (F("year") >= 2000) & F("lang").one_of(["en", "it"]) & ~F("draft").exists()
    message = convert.filter_to_proto(expression)
    kinds = [f.WhichOneof("node") for f in message.all.filters]
    assert kinds == ["range", "one_of", "negate"]
    assert message.all.filters[0].range.gte == 2000
    assert not message.all.filters[0].range.HasField("lt")
    either = convert.filter_to_proto((F("a") == 1) | (F("a") != "x") | HasId((1, "b")))
    assert [f.WhichOneof("node") for f in either.any.filters] == ["equals", "negate", "has_id"]
    assert either.any.filters[0].equals.value.WhichOneof("kind") == "integer"


def test_filters_in_boolean_context_are_a_mistake_that_is_told():
    with pytest.raises(TypeError, match=r"&, \| and ~"):
        bool((F("a") == 1) and (F("b") == 2))


def test_points_take_any_array_like():
    message = convert.point_to_proto(
        Point(7, np.array([1, 2], dtype=np.int8), {"a": 1}, {"other": [0.5]})
    )
    assert [(v.name, list(v.values)) for v in message.vectors] == [
        ("", [1.0, 2.0]),
        ("other", [0.5]),
    ]
    with pytest.raises(InvalidArgumentError, match=r"shape \(1, 2\)"):
        convert.point_to_proto(Point(7, [[1.0, 2.0]]))


def test_a_vector_says_what_its_index_picked():
    message = collections_pb2.CollectionInfo(name="c")
    message.vectors.add(name="a", live=3, quantization=collections_pb2.QUANTIZATION_RABITQ)
    message.vectors.add(name="b", live=3)
    status = convert.collection_from_proto(message).status
    assert [vector.quantization for vector in status] == ["rabitq", ""]


def test_collection_config_carries_every_field():
    message = convert.collection_config_to_proto(
        [
            VectorConfig(4, "l2", Flat(), name="a"),
            VectorConfig(0, "cosine", Hnsw(8, 50, 60, "sq8"), "model", "body"),
            VectorConfig(8, "cosine", Ivf(100, 7, "pq4", 4, True), name="c"),
            VectorConfig(8, "l2", Faiss("IVF64,PQ4", "nprobe=8", 5), name="d"),
        ],
        {"year": "integer"},
        Chunking(100, 10),
    )
    assert message.vectors[0].WhichOneof("index") == "flat"
    assert (message.vectors[1].hnsw.m, message.vectors[1].hnsw.ef_search) == (8, 60)
    assert message.vectors[1].hnsw.quantization == collections_pb2.QUANTIZATION_SQ8
    with pytest.raises(InvalidArgumentError, match="auto, none, sq8, sq4, rabitq, got 'sq9'"):
        convert.vector_config_to_proto(VectorConfig(4, index=Hnsw(quantization="sq9")))
    ivf = message.vectors[2].ivf
    assert (ivf.nlist, ivf.nprobe, ivf.pq_m) == (100, 7, 4)
    assert convert._vector_config_from_proto(message.vectors[2]).index == Ivf(
        100, 7, "pq4", 4, True
    )
    faiss = convert._vector_config_from_proto(message.vectors[3]).index
    assert faiss == Faiss("IVF64,PQ4", "nprobe=8", 5)
    with pytest.raises(InvalidArgumentError, match="flat, pq4, pq8, rabitq"):
        convert.vector_config_to_proto(VectorConfig(8, index=Ivf(encoding="pq5")))
    assert (message.vectors[1].model.name, message.vectors[1].model.text_field) == ("model", "body")
    assert (message.documents.max_tokens, message.documents.overlap_tokens) == (100, 10)
    with pytest.raises(InvalidArgumentError, match="keyword, integer, float, bool"):
        convert.collection_config_to_proto([], {"a": "text"}, None)
