"""Text in, passages out, with the real model."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import MODEL

import vettore
from vettore import Document, F, Point

ABOUT = {
    "olives": "Olive trees grow around the Mediterranean. Their fruit is pressed into oil.",
    "rockets": "A rocket carries its oxidiser with it. That is why it flies where there is no air.",
    "bread": "Bread rises because yeast turns sugar into carbon dioxide. Salt slows the yeast down.",
}


@pytest.fixture(scope="module")
def client(shared_client):
    shared_client.create_collection("about", model=MODEL, documents=True)
    report = shared_client.ingest(
        "about",
        [Document(i, text, i.title(), {"length": len(text)}) for i, text in ABOUT.items()],
    )
    assert (report.items, report.chunks, report.failures) == (3, 3, [])
    assert report.tokens > 40
    return shared_client


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Where does oil come from?", "olives"),
        ("Why can it fly in space?", "rockets"),
        ("What makes dough bigger?", "bread"),
    ],
)
def test_a_question_finds_its_passage(client, question, answer):
    passages = client.search_passages("about", question, k=3)
    assert passages[0].document_id == answer
    assert passages[0].text == ABOUT[answer]
    assert passages[0].title == answer.title()
    assert passages[0].metadata == {"length": len(ABOUT[answer])}
    assert passages[0].score > passages[1].score > passages[2].score
    assert passages.trace.embed_us > 0


def test_filters_see_metadata(client):
    long = F("metadata.length") > len(ABOUT["olives"])
    found = {p.document_id for p in client.search_passages("about", "oil", filter=long)}
    assert found == {i for i, text in ABOUT.items() if len(text) > len(ABOUT["olives"])}


def test_a_document_comes_back_as_it_was_and_is_replaced_whole(shared_client):
    client = shared_client
    client.create_collection("long", model=MODEL, documents=vettore.Chunking(64, 16))
    text = "\n\n".join(
        f"Paragraph {i} tells of number {i * i}.  It has two sentences — “so”." for i in range(80)
    )
    first = client.upsert_documents("long", [Document("d", text, "Numbers", {"v": 1})])
    assert first.chunks > 10
    assert client.count("long") == first.chunks
    stored = client.get_document("long", "d")
    assert (stored.text, stored.title, stored.metadata) == (text, "Numbers", {"v": 1})
    for passage in client.search_passages("long", "number 49", k=5):
        assert text.encode()[passage.begin : passage.end].decode() == passage.text
    second = client.upsert_documents("long", [Document("d", "Short now.", metadata={"v": 2})])
    assert (second.chunks, second.replaced_chunks) == (1, first.chunks)
    assert client.count("long") == 1
    assert client.delete_documents("long", ["d", "never"]).changed == 1
    assert client.count("long") == 0
    with pytest.raises(vettore.NotFoundError, match="'d'"):
        client.get_document("long", "d")


def test_points_of_a_collection_with_a_model_are_embedded_from_their_text(shared_client):
    client = shared_client
    client.create_collection("texts", model=MODEL)
    client.upsert("texts", [Point(i, payload={"text": t}) for i, t in enumerate(ABOUT.values())])
    hits = client.search("texts", "space flight", k=1, vectors=True)
    assert hits[0].payload["text"] == ABOUT["rockets"]
    by_hand = client.embed([ABOUT["rockets"]]).vectors[0]
    np.testing.assert_allclose(hits[0].vector, by_hand, atol=1e-5)
    query = client.embed(["space flight"], input_type="query").vectors[0]
    assert hits[0].score == pytest.approx(float(query @ by_hand), abs=1e-4)


def test_truncation_is_reported_and_can_be_refused(shared_client):
    long = "word " * 400
    result = shared_client.embed(["short", long])
    assert result.truncated.tolist() == [False, True]
    assert result.tokens.tolist() == [3, 402]
    with pytest.raises(vettore.InvalidArgumentError, match=r"402.*256|256.*402"):
        shared_client.embed([long], truncate=False)


def test_models_are_listed_with_what_they_take(shared_client):
    [model] = [m for m in shared_client.list_models() if m.name == MODEL]
    assert (model.dimension, model.max_tokens, model.pooling) == (384, 256, "mean")
    assert model.normalized
    info = (
        shared_client.get_collection("about")
        if "about" in {c.name for c in shared_client.list_collections()}
        else shared_client.create_collection("about2", model=MODEL)
    )
    assert info.vectors[0].fingerprint == model.fingerprint
