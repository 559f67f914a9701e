from __future__ import annotations

import grpc

from vettore import Point, _calls
from vettore._window import MAX_ATTEMPTS, Window
from vettore.v1 import points_pb2


def make_window(ids, batch_size: int = 2) -> Window:
    """A window over points whose payloads number them; `ids` may be how many there are."""
    ids = range(ids) if isinstance(ids, int) else ids
    points = (Point(id, payload={"n": n}) for n, id in enumerate(ids))
    return Window(
        points,
        batch_size,
        lambda batch, producer: _calls.upsert_request("c", batch, "durable", producer),
    )


def producer_of(sent) -> tuple[str, int]:
    producer = sent[1].options.producer
    return producer.id, producer.seq


def numbers(sent) -> list[int]:
    return [point.payload.fields["n"].integer for point in sent[1].points]


def ok(batch_id: int, credits: int = 4, duplicate=False) -> points_pb2.UpsertStreamResponse:
    message = points_pb2.UpsertStreamResponse(batch_id=batch_id, credits=credits)
    message.response.position.seq = batch_id
    message.response.duplicate = duplicate
    return message


def refused(batch_id: int, code: grpc.StatusCode) -> points_pb2.UpsertStreamResponse:
    message = points_pb2.UpsertStreamResponse(batch_id=batch_id, credits=4)
    message.error.code, message.error.message = code.value[0], "no"
    return message


def test_no_more_is_sent_than_credits_allow():
    window = make_window(10)
    window.answered(points_pb2.UpsertStreamResponse(credits=2))
    window.next()
    assert window.may_send
    window.next()
    assert not window.may_send
    window.answered(ok(1, credits=2))
    assert window.may_send


def test_a_broken_connection_sends_the_unanswered_again_under_their_sequence():
    window = make_window(6)
    window.credits = 3
    sent = [window.next() for _ in range(3)]
    window.answered(ok(1))
    window.reconnected()
    again = [window.next() for _ in range(2)]
    assert [numbers(batch) for batch in again] == [[2, 3], [4, 5]]
    assert [producer_of(batch) for batch in again] == [producer_of(batch) for batch in sent[1:]]


def test_unanswered_batches_have_producers_of_their_own():
    """One sequence for all: after a lost connection a stored batch made an earlier one that was
    put off a duplicate, and it was never stored."""
    window = make_window(8)
    window.credits = 2
    first, second = producer_of(window.next()), producer_of(window.next())
    assert first[0] != second[0]
    window.answered(ok(1))
    assert producer_of(window.next()) == (first[0], first[1] + 1)


def test_batches_put_off_go_again_in_their_order_before_what_is_later():
    """They went after batches that were under way, whose newer points they replaced."""
    window = make_window(8)
    window.answered(points_pb2.UpsertStreamResponse(credits=3))
    for _ in range(3):
        window.next()
    window.answered(refused(1, grpc.StatusCode.RESOURCE_EXHAUSTED))
    assert not window.may_send
    window.answered(refused(2, grpc.StatusCode.RESOURCE_EXHAUSTED))
    assert not window.may_send
    window.answered(ok(3))
    assert window.may_send
    again = [window.next() for _ in range(3)]
    assert [numbers(batch) for batch in again] == [[0, 1], [2, 3], [6, 7]]
    for batch in again:
        window.answered(ok(batch[0]))
    assert window.next() is None
    assert window.done
    assert window.report.items == 8


def test_items_that_a_later_batch_replaced_are_not_sent_again():
    window = make_window(["a", "b", "a", "c", "a", "b"], batch_size=3)
    window.credits = 2
    window.next(), window.next()
    window.answered(refused(1, grpc.StatusCode.RESOURCE_EXHAUSTED))
    window.answered(ok(2))
    assert window.next() is None
    assert window.done
    assert window.report.items == 6


def test_a_failure_names_only_items_that_nothing_replaced():
    window = make_window(["a", "b", "c", "b"], batch_size=3)
    window.credits = 2
    window.next(), window.next()
    window.answered(refused(1, grpc.StatusCode.RESOURCE_EXHAUSTED))
    window.answered(ok(2))
    again = window.next()
    assert numbers(again) == [0, 2]
    window.answered(refused(again[0], grpc.StatusCode.INVALID_ARGUMENT))
    assert [(f.first, f.count) for f in window.report.failures] == [(0, 1), (2, 1)]


def test_a_batch_stored_before_an_earlier_one_is_written_again():
    """The first was put off, the second stored, and the connection broke before the answers."""
    window = make_window(["a", "b", "a", "c"])
    window.credits = 2
    window.next(), window.next()
    window.reconnected()
    window.credits = 2
    first, second = window.next(), window.next()
    window.answered(ok(first[0]))
    window.answered(ok(second[0], duplicate=True))
    again = window.next()
    assert numbers(again) == [2, 3]
    assert producer_of(again) not in (producer_of(first), producer_of(second))
    window.answered(ok(again[0]))
    assert window.next() is None
    assert (window.report.items, window.report.duplicates) == (4, 0)


def test_a_wrong_batch_is_reported_with_its_place_and_the_rest_goes_on():
    window = make_window(5)
    window.credits = 3
    for _ in range(3):
        window.next()
    window.answered(ok(1))
    window.answered(refused(2, grpc.StatusCode.INVALID_ARGUMENT))
    window.answered(ok(3))
    assert window.next() is None
    assert window.report.items == 3
    [failure] = window.report.failures
    assert (failure.first, failure.count) == (2, 2)
    assert failure.error.code == grpc.StatusCode.INVALID_ARGUMENT


def test_a_batch_that_is_refused_for_ever_fails_in_the_end():
    window = make_window(2)
    for _ in range(MAX_ATTEMPTS):
        batch_id, _ = window.next()
        window.answered(refused(batch_id, grpc.StatusCode.UNAVAILABLE))
    assert window.next() is None
    assert window.done
    assert len(window.report.failures) == 1
