"""Netlink's bytes: what is packed can be read again, what is cut short is refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.agent import netlink
from chaos.agent import nftables as nft

_attributes = st.dictionaries(st.integers(1, 0x3FFF), st.binary(max_size=40), max_size=8)


@given(_attributes)
def test_attributes_can_be_read_again(members: dict[int, bytes]) -> None:
    packed = b"".join(netlink.attr(kind, value) for kind, value in members.items())
    assert len(packed) % 4 == 0
    assert netlink.attributes(packed) == members


@given(st.lists(st.tuples(st.integers(16, 0xFFFF), st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=5))
def test_messages_can_be_read_again(sent: list[tuple[int, int, bytes]]) -> None:
    padded = [(kind, flags, body + bytes(-len(body) % 4)) for kind, flags, body in sent]
    data = b"".join(netlink.pack(kind, flags, 7, body) for kind, flags, body in padded)
    assert [(m.kind, m.flags, m.body) for m in netlink.unpack(data)] == padded


@given(st.binary(max_size=60))
def test_rubbish_is_read_or_refused(data: bytes) -> None:
    for read in (netlink.attributes, lambda data: list(netlink.unpack(data))):
        try:
            read(data)
        except ValueError as error:
            assert "bytes at" in str(error)


def test_a_known_message() -> None:
    """As nft(8) sends it: `add table ip t` with the owner flag."""
    request = nft.new_table("t")
    assert request.kind == 0x0A00
    assert request.body == bytes.fromhex("0200000006000100 7400 000008000200 00000002")


def test_an_attribute_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        netlink.attr(1, bytes(70_000))


def test_errors_and_acknowledgements() -> None:
    refused, accepted = (netlink.Message(netlink.ERROR, 0, 1, struct.pack("=i", code)) for code in (-2, 0))
    assert (netlink.error_of(refused), netlink.error_of(accepted)) == (2, 0)


def test_elements_can_be_read_again() -> None:
    request = nft.add_elements("t", "s", [nft.Element(b"abcd", 1500, b"note"), nft.Element(b"efgh")])
    found = nft.elements_of(request.body)
    assert [(one.key, one.note) for one in found] == [(b"abcd", b"note"), (b"efgh", b"")]
