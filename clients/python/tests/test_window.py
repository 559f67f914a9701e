from __future__ import annotations

import grpc

from vettore._window import MAX_ATTEMPTS, Window
from vettore.v1 import points_pb2


def make_window(count: int, batch_size: int = 2) -> Window:
    def request(items, producer):
        message = points_pb2.UpsertRequest()
        message.options.producer.id, message.options.producer.seq = producer
        return message

    return Window(range(count), batch_size, request)


def ok(batch_id: int, credits: int = 4) -> points_pb2.UpsertStreamResponse:
    message = points_pb2.UpsertStreamResponse(batch_id=batch_id, credits=credits)
    message.response.position.seq = batch_id
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
    assert [batch[0] for batch in again] == [sent[1][0], sent[2][0]]
    assert [b[1].options.producer.seq for b in again] == [2, 3]
    assert again[0][1].options.producer.id == sent[0][1].options.producer.id


def test_a_batch_refused_for_want_of_room_goes_again_under_a_new_sequence():
    window = make_window(4)
    window.credits = 2
    window.next(), window.next()
    window.answered(refused(1, grpc.StatusCode.RESOURCE_EXHAUSTED))
    window.answered(ok(2))
    batch_id, request = window.next()
    assert batch_id == 3
    assert request.options.producer.seq == 3
    window.answered(ok(3))
    assert window.next() is None
    assert window.done
    assert window.report.items == 4


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
