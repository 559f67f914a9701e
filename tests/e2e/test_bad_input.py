"""Bad input gets a status and words that name the field, and changes nothing."""

from __future__ import annotations

import math

import grpc
import numpy as np
import pytest
from conftest import MODEL, MODELS_DIR, Server

import vettore
from vettore import Document, F, InvalidArgumentError, Point
from vettore.v1 import common_pb2, points_pb2, points_pb2_grpc


@pytest.fixture(scope="module")
def client(shared_client):
    shared_client.create_collection("l2", dimension=3, metric="l2")
    shared_client.create_collection("cosine", dimension=3)
    shared_client.create_collection("docs", model=MODEL, documents=True)
    shared_client.upsert("l2", [Point(1, [1, 2, 3])])
    return shared_client


def deep_filter(depth):
    condition = F("a") == 1
    for _ in range(depth):
        condition = ~condition
    return condition


def bad(words, call, kind=InvalidArgumentError):
    return pytest.param(words, call, kind)


CASES = [
    bad("dimension 2.*3", lambda c: c.upsert("l2", [Point(2, [1, 2, 3]), Point(3, [1, 2])])),
    bad("dimension 2.*3", lambda c: c.search("l2", [1, 2])),
    bad("(?i)nan", lambda c: c.upsert("l2", [Point(2, [1, math.nan, 3])])),
    bad("(?i)inf", lambda c: c.upsert("l2", [Point(2, [1, -math.inf, 3])])),
    bad("(?i)nan", lambda c: c.search("l2", [1, math.nan, 3])),
    bad("(?i)zero", lambda c: c.upsert("cosine", [Point(2, [0, 0, 0])])),
    bad("(?i)zero", lambda c: c.search("cosine", [0, 0, 0])),
    bad("(?i)empty", lambda c: c.upsert_documents("docs", [Document("a", "")])),
    bad("(?i)empty", lambda c: c.search_passages("docs", "")),
    bad("8388608", lambda c: c.upsert_documents("docs", [Document("a", "x" * 10_000_000)])),
    bad("8388608", lambda c: c.embed(["x" * 10_000_000])),
    bad("nowhere", lambda c: c.search("nowhere", [1, 2, 3]), vettore.NotFoundError),
    bad("title", lambda c: c.search("l2", [1, 2, 3], vector_name="title")),
    bad("title", lambda c: c.upsert("l2", [Point(2, vectors={"title": [1, 2, 3]})])),
    bad("256.*300", lambda c: c.upsert("l2", [Point("i" * 300, [1, 2, 3])])),
    bad("1048576", lambda c: c.upsert("l2", [Point(2, [1, 2, 3], {"t": "x" * 2_000_000})])),
    bad("16", lambda c: c.search("l2", [1, 2, 3], filter=deep_filter(90))),
    bad("field", lambda c: c.search("l2", [1, 2, 3], filter=F("") == 1)),
    bad("k", lambda c: c.search("l2", [1, 2, 3], k=0)),
    bad("10000.*2147483648|2147483648.*10000", lambda c: c.search("l2", [1, 2, 3], k=2**31)),
    bad("10000", lambda c: c.search("l2", [1, 2, 3], k=10, offset=2**64 - 1)),
    bad("4096", lambda c: c.search("l2", [1, 2, 3], ef_search=5000)),
    bad("10000.*20000", lambda c: c.upsert("l2", [Point(i, [1, 2, 3]) for i in range(20_000)])),
    bad("10000.*20000", lambda c: c.get("l2", list(range(20_000)))),
    bad("name", lambda c: c.create_collection("a/b", dimension=3)),
    bad("65536", lambda c: c.create_collection("x", dimension=70_000)),
    bad("dimension", lambda c: c.create_collection("x", dimension=0)),
    bad("4.*128", lambda c: c.create_collection("x", dimension=3, index=vettore.Hnsw(m=500))),
    bad("no-model", lambda c: c.create_collection("x", model="no-model"), vettore.NotFoundError),
    bad("384", lambda c: c.create_collection("x", dimension=5, model=MODEL)),
    bad("model", lambda c: c.search("l2", "a text"), vettore.FailedPreconditionError),
    bad(
        "documents",
        lambda c: c.upsert_documents("l2", [Document("a", "b")]),
        vettore.FailedPreconditionError,
    ),
    bad("200", lambda c: c.upsert_documents("docs", [Document("i" * 300, "text")])),
    bad("l2", lambda c: c.create_collection("l2", dimension=3), vettore.AlreadyExistsError),
    bad("../", lambda c: c.create_collection("x", model="../secret")),
]


@pytest.mark.parametrize(("words", "call", "kind"), CASES)
def test_bad_input_is_refused_in_words_and_changes_nothing(client, words, call, kind):
    before = [(c.name, c.points, c.position) for c in client.list_collections()]
    with pytest.raises(kind, match=words):
        call(client)
    assert [(c.name, c.points, c.position) for c in client.list_collections()] == before


def test_messages_that_no_client_of_ours_sends_are_refused_too(client):
    stub = client._stubs["Points"]
    for request, words in [
        (
            points_pb2.UpsertRequest(collection="l2", points=[points_pb2.Point()]),
            r"points\[0\].id",
        ),
        (points_pb2.UpsertRequest(collection="l2"), "points"),
        (
            points_pb2.UpsertRequest(
                collection="l2",
                points=[points_pb2.Point(id=common_pb2.PointId(text="a\0b"))],
            ),
            "NUL",
        ),
    ]:
        with pytest.raises(Exception, match=words) as caught:
            stub.Upsert(request)
        assert caught.value.code().name == "INVALID_ARGUMENT"
    assert client.count("l2") == 1


def test_a_bad_batch_of_a_stream_is_reported_and_the_others_are_stored(client):
    client.create_collection("streamed", dimension=2, metric="l2")
    points = [Point(i, [i, i]) for i in range(30)]
    points[14] = Point(14, [1, 2, 3])
    report = client.upsert_stream("streamed", points, batch_size=10)
    [failure] = report.failures
    assert (failure.first, failure.count) == (10, 10)
    assert "dimension 3" in str(failure.error)
    assert [p.id for p in client.scroll("streamed")] == [*range(10), *range(20, 30)]
    client.delete_collection("streamed")


def test_a_message_over_the_limit_is_refused_and_the_server_lives_on(client):
    request = points_pb2.UpsertRequest(collection="l2")
    for i in range(3):
        vector = request.points.add(id=common_pb2.PointId(number=i)).vectors.add()
        vector.values.extend(np.zeros(4_000_000, np.float32))
    channel = grpc.insecure_channel(client.address, options=[("grpc.max_send_message_length", -1)])
    with pytest.raises(Exception, match=r"(?i)larger than max|received message") as caught:
        points_pb2_grpc.PointsStub(channel).Upsert(request)
    assert caught.value.code().name == "RESOURCE_EXHAUSTED"
    channel.close()
    assert client.count("l2") == 1


def copy_model(target, leave_out=()):
    for source in MODELS_DIR.joinpath(MODEL).rglob("*"):
        if source.is_file() and source.name not in leave_out:
            copy = target / source.relative_to(MODELS_DIR / MODEL)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(source)


def test_broken_models_are_named_with_their_fault_and_take_nothing_down(tmp_path):
    models = tmp_path / "models"
    copy_model(models / "good")
    copy_model(models / "truncated", leave_out=("model.safetensors",))
    weights = MODELS_DIR.joinpath(MODEL, "model.safetensors").read_bytes()[:1_000_000]
    (models / "truncated/model.safetensors").write_bytes(weights)
    copy_model(models / "mute", leave_out=("tokenizer.json", "vocab.txt"))
    server = Server(tmp_path, models_dir=models)
    with server.start() as client:
        listed = {m.name: m for m in client.list_models()}
        assert listed["good"].error == ""
        assert "model.safetensors" in listed["truncated"].error
        assert "tokenizer.json" in listed["mute"].error
        with pytest.raises(vettore.VettoreError, match=r"model.safetensors"):
            client.create_collection("x", model="truncated")
        with pytest.raises(vettore.VettoreError, match=r"tokenizer.json"):
            client.embed(["text"], model="mute")
        assert client.embed(["text"], model="good").vectors.shape == (1, 384)
    server.stop()
