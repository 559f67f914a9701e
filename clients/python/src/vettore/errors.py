"""What goes wrong, as exceptions by whose turn it is."""

from __future__ import annotations

import grpc


class VettoreError(Exception):
    """A call failed; `code` is the gRPC status code and the text says what to do."""

    code: grpc.StatusCode = grpc.StatusCode.UNKNOWN

    def __init__(self, message: str, code: grpc.StatusCode | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class InvalidArgumentError(VettoreError, ValueError):
    """The request is wrong; the message names the field, what was wanted and what was got."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class NotFoundError(VettoreError, KeyError):
    """The collection, alias, document or model does not exist."""

    code = grpc.StatusCode.NOT_FOUND

    def __str__(self) -> str:
        return str(self.args[0])


class AlreadyExistsError(VettoreError):
    """A collection or alias has the name."""

    code = grpc.StatusCode.ALREADY_EXISTS


class FailedPreconditionError(VettoreError):
    """The collection or server is not in the state that the call needs."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class ResourceExhaustedError(VettoreError):
    """A limit or a queue is full; retry later or send less."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class UnavailableError(VettoreError, ConnectionError):
    """The server cannot be reached or is stopping; retry."""

    code = grpc.StatusCode.UNAVAILABLE


class DeadlineError(VettoreError, TimeoutError):
    """The call took longer than its timeout."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class DataLossError(VettoreError):
    """Stored data is damaged; an operator has to look."""

    code = grpc.StatusCode.DATA_LOSS


_BY_CODE: dict[grpc.StatusCode, type[VettoreError]] = {
    kind.code: kind
    for kind in (
        InvalidArgumentError,
        NotFoundError,
        AlreadyExistsError,
        FailedPreconditionError,
        ResourceExhaustedError,
        UnavailableError,
        DeadlineError,
        DataLossError,
    )
}
_CODES = {code.value[0]: code for code in grpc.StatusCode}

RETRYABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
# What ends a stream that may go on over another one: the server is gone, stopping or busy.
RECONNECTABLE = (*RETRYABLE, grpc.StatusCode.CANCELLED)


def from_status(code: grpc.StatusCode | int, message: str) -> VettoreError:
    """The exception of a gRPC code, given as a constant or as its number."""
    known = _CODES.get(code, grpc.StatusCode.UNKNOWN) if isinstance(code, int) else code
    return _BY_CODE.get(known, VettoreError)(message or known.name, known)


def from_rpc_error(error: grpc.RpcError) -> VettoreError:
    """The exception of a failed gRPC call."""
    return from_status(error.code(), error.details() or "")
