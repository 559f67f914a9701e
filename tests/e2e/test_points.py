"""Points through a real server, judged by numpy."""

from __future__ import annotations

import numpy as np
import pytest

import vettore
from vettore import F, Point

N, DIM = 2000, 32


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    return rng.normal(size=(N, DIM)).astype(np.float32), rng.normal(size=(20, DIM))


def payload(i):
    tags = ["even" if i % 2 == 0 else "odd", f"t{i % 7}"]
    return {"n": i, "tags": tags, "nested": {"third": i % 3 == 0}}


@pytest.fixture(scope="module")
def client(shared_client, data):
    vectors, _ = data
    for metric in ("l2", "cosine", "inner_product"):
        for kind, index in (("flat", vettore.Flat()), ("hnsw", vettore.Hnsw())):
            name = f"{metric}-{kind}"
            shared_client.create_collection(
                name, dimension=DIM, metric=metric, index=index, payload_indexes={"n": "integer"}
            )
            points = vettore.columns(range(N), vectors, [payload(i) for i in range(N)])
            report = shared_client.upsert_stream(name, points, batch_size=300)
            assert (report.items, report.failures) == (N, [])
    return shared_client


def true_scores(metric, vectors, query):
    vectors, query = vectors.astype(np.float64), np.asarray(query, np.float32).astype(np.float64)
    if metric == "l2":
        return np.linalg.norm(vectors - query, axis=1)
    if metric == "cosine":
        return vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    return vectors @ query


@pytest.mark.parametrize("metric", ["l2", "cosine", "inner_product"])
@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_exact_search_is_what_numpy_says(client, data, metric, kind):
    vectors, queries = data
    for query in queries:
        scores = true_scores(metric, vectors, query)
        best = np.argsort(scores if metric == "l2" else -scores)[:10]
        hits = client.search(f"{metric}-{kind}", query, k=10, exact=True)
        assert [hit.id for hit in hits] == best.tolist()
        np.testing.assert_allclose([hit.score for hit in hits], scores[best], rtol=1e-4, atol=1e-5)
        assert hits[0].payload == payload(hits[0].id)


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_a_batch_finds_what_its_searches_find_alone(client, data, kind):
    _, queries = data
    many = np.concatenate([queries] * 10)
    for options in ({}, {"exact": True}, {"filter": F("n") < 700, "vectors": True}):
        found = client.search_batch(f"l2-{kind}", many, k=5, **options)
        assert len(found) == len(many)
        for query, hits in zip(many, found, strict=True):
            alone = client.search(f"l2-{kind}", query, k=5, **options)
            assert [(h.id, h.score, h.payload) for h in hits] == [
                (h.id, h.score, h.payload) for h in alone
            ]


def test_searches_of_a_batch_may_differ(client, data):
    _, queries = data
    own = [
        {"query": queries[0], "k": 3, "exact": True},
        {"query": queries[1], "filter": F("n") == 7},
        queries[2],
    ]
    first, second, third = client.search_batch("l2-hnsw", own, k=4, payload=False)
    assert [h.id for h in first] == [
        h.id for h in client.search("l2-hnsw", queries[0], k=3, exact=True)
    ]
    assert [h.id for h in second] == [7]
    assert len(third) == 4 and third[0].payload == {}


def test_a_batch_is_answered_whole_or_not_at_all(client, data):
    _, queries = data
    with pytest.raises(vettore.InvalidArgumentError, match=r"searches\[1\]: query: .*dimension 3"):
        client.search_batch("l2-hnsw", [queries[0], [1, 2, 3]])
    with pytest.raises(vettore.InvalidArgumentError, match="1 to 1000, got 1001"):
        client.search_batch("l2-hnsw", [queries[0]] * 1001)
    with pytest.raises(vettore.InvalidArgumentError, match="at most 100000"):
        client.search_batch("l2-hnsw", [queries[0]] * 11, k=10_000)
    with pytest.raises(vettore.NotFoundError):
        client.search_batch("no-such", [queries[0]])


def test_graph_search_finds_nearly_what_exact_search_does(client, data):
    _, queries = data
    found = total = 0
    for query in queries:
        exact = {hit.id for hit in client.search("l2-hnsw", query, k=10, exact=True)}
        found += len(exact & {hit.id for hit in client.search("l2-hnsw", query, k=10)})
        total += 10
    assert found / total >= 0.95


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (F("n") == 3, lambda p: p["n"] == 3),
        (F("n") >= 1990.5, lambda p: p["n"] >= 1990.5),
        (F("tags") == "odd", lambda p: "odd" in p["tags"]),
        (F("nested.third") == True, lambda p: p["nested"]["third"]),  # noqa: E712
        (
            F("tags").one_of(["t1", "t2"]) & ~(F("n") < 1000),
            lambda p: p["n"] % 7 in (1, 2) and p["n"] >= 1000,
        ),
        ((F("n") < 5) | (F("n") > 1994), lambda p: p["n"] < 5 or p["n"] > 1994),
        (F("nothing").exists(), lambda p: False),
        (vettore.HasId((1, 2, 99999)), lambda p: p["n"] in (1, 2)),
    ],
)
@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_a_filtered_search_returns_k_whenever_k_match(client, data, kind, condition, holds):
    vectors, queries = data
    matching = [i for i in range(N) if holds(payload(i))]
    assert client.count(f"l2-{kind}", filter=condition) == len(matching)
    hits = client.search(f"l2-{kind}", queries[0], k=10, filter=condition)
    assert len(hits) == min(10, len(matching))
    assert {hit.id for hit in hits} <= set(matching)
    exact = client.search(f"l2-{kind}", queries[0], k=10, filter=condition, exact=True)
    scores = true_scores("l2", vectors[matching], queries[0]) if matching else np.array([])
    assert [hit.id for hit in exact] == [matching[j] for j in np.argsort(scores)[:10]]


def test_offset_and_threshold_cut_the_same_ranking(client, data):
    _, queries = data
    whole = client.search("l2-flat", queries[1], k=20, exact=True)
    tail = client.search("l2-flat", queries[1], k=10, offset=10, exact=True)
    assert [h.id for h in tail] == [h.id for h in whole[10:]]
    limit = (whole[4].score + whole[5].score) / 2
    near = client.search("l2-flat", queries[1], k=20, score_threshold=limit, exact=True)
    assert [h.id for h in near] == [h.id for h in whole[:5]]


def test_scroll_pages_through_all_points_in_the_order_of_ids(client):
    page = client.scroll_page("l2-flat", limit=700)
    assert len(page.points) == 700
    assert page.next == 700
    everything = [p.id for p in client.scroll("l2-flat", page_size=700)]
    assert everything == list(range(N))
    odd = [p.id for p in client.scroll("l2-flat", filter=F("tags") == "odd", page_size=300)]
    assert odd == list(range(1, N, 2))


def test_selection_returns_the_parts_that_were_asked_for(client, data):
    vectors, _ = data
    [point] = client.get("l2-flat", [5], payload=["nested.third"], vectors=True)
    assert point.payload == {"nested": {"third": False}}
    np.testing.assert_array_equal(point.vector, vectors[5])
    [point] = client.get("l2-flat", [5], payload=False)
    assert (point.payload, point.vectors) == ({}, {})


def test_points_are_replaced_whole_deleted_and_gone(shared_client):
    client = shared_client
    client.create_collection("changes", dimension=2, metric="l2")
    first = client.upsert(
        "changes", [Point(1, [0, 0], {"a": 1}), Point("one", [1, 1], {"b": 2**62})]
    )
    assert first.changed == 2
    second = client.upsert("changes", [Point(1, [5, 5], {"c": 3}), Point(1, [6, 6], {"d": 4})])
    assert second.changed == 1
    assert second.position > first.position
    [point] = client.get("changes", [1], vectors=True, min_position=second.position)
    assert (point.payload, point.vector.tolist()) == ({"d": 4}, [6, 6])
    assert point.version == second.position.seq
    [text] = client.get("changes", ["one"])
    assert text.payload == {"b": 2**62}
    assert [h.id for h in client.search("changes", [6, 6], k=5)] == [1, "one"]
    assert client.delete("changes", [1, 77]).changed == 1
    assert [h.id for h in client.search("changes", [6, 6], k=5)] == ["one"]
    assert client.delete("changes", filter=F("b").exists()).changed == 1
    assert client.count("changes") == 0


def test_named_vectors_are_searched_apart(shared_client):
    client = shared_client
    client.create_collection(
        "named",
        vectors=[
            vettore.VectorConfig(2, "l2", name="left"),
            vettore.VectorConfig(3, "cosine", vettore.Flat(), name="right"),
        ],
    )
    client.upsert(
        "named",
        [
            Point(1, vectors={"left": [0, 0], "right": [1, 0, 0]}),
            Point(2, vectors={"left": [9, 9]}),
        ],
    )
    assert [h.id for h in client.search("named", [8, 8], vector_name="left")] == [2, 1]
    assert [h.id for h in client.search("named", [1, 1, 0], vector_name="right")] == [1]
    with pytest.raises(vettore.InvalidArgumentError, match="left"):
        client.search("named", [1, 1], vector_name="middle")


def test_aliases_move_in_one_step(shared_client):
    client = shared_client
    client.create_collection("blue", dimension=1, metric="l2")
    client.create_collection("green", dimension=1, metric="l2")
    client.upsert("green", [Point(1, [1.0])])
    client.set_alias("live", "blue")
    assert client.count("live") == 0
    client.set_alias("live", "green")
    assert client.count("live") == 1
    assert client.list_aliases() == {"live": "green"}
    assert client.get_collection("live").name == "green"
    with pytest.raises(vettore.AlreadyExistsError):
        client.create_collection("live", dimension=1)
    client.delete_collection("green")
    with pytest.raises(vettore.NotFoundError, match="live"):
        client.count("live")


def test_collections_are_described_as_they_were_created(shared_client):
    client = shared_client
    made = client.create_collection(
        "described",
        dimension=4,
        metric="inner_product",
        index=vettore.Hnsw(8, 64, 32, "sq8"),
        payload_indexes={"a.b": "keyword", "c": "bool"},
    )
    assert made == client.get_collection("described")
    [vector] = made.vectors
    assert (vector.dimension, vector.metric, vector.index) == (
        4,
        vettore.Metric.INNER_PRODUCT,
        vettore.Hnsw(8, 64, 32, "sq8"),
    )
    assert made.payload_indexes == {"a.b": "keyword", "c": "bool"}
    assert "described" in [c.name for c in client.list_collections()]
    client.delete_collection("described")
    with pytest.raises(vettore.NotFoundError, match="described"):
        client.get_collection("described")


def test_a_read_behind_the_log_waits_and_one_of_another_epoch_is_refused(shared_client):
    client = shared_client
    client.create_collection("positions", dimension=1, metric="l2")
    written = client.upsert("positions", [Point(1, [1.0])]).position
    assert client.count("positions", min_position=written) == 1
    ahead = vettore.Position(written.epoch, written.seq + 1)
    with pytest.raises(vettore.DeadlineError):
        client.count("positions", min_position=ahead, timeout=0.3)
    with pytest.raises(vettore.FailedPreconditionError, match="epoch"):
        client.count("positions", min_position=vettore.Position(written.epoch + 1, 1))
