"""A bounded, repeatable share of the fuzzing that `make fuzz` does at length."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.codecs.registry import NAMES
from devices.topics import UpChannel
from tests.devices.codec_samples import samples
from tests.fuzz.contract import check
from tests.fuzz.mutation import Mutator

MUTATIONS = 3_000
channels = st.sampled_from(list(UpChannel))


@pytest.mark.parametrize("codec", NAMES)
@settings(derandomize=True)
@given(payload=st.binary(max_size=400), channel=channels)
def test_any_bytes(codec: str, payload: bytes, channel: UpChannel) -> None:
    check(codec, channel, payload)


@pytest.mark.parametrize("codec", ["thingsboard", "native_json"])
@settings(derandomize=True)
@given(text=st.text(max_size=200), channel=channels)
def test_any_text(codec: str, text: str, channel: UpChannel) -> None:
    check(codec, channel, text.encode("utf-8", "surrogatepass"))


@settings(derandomize=True)
@given(
    tags=st.lists(
        st.tuples(
            st.sampled_from(["mty", "dty", "stc", "ref", "cid", "ite", "ame", "lte", "crd"]), st.text(max_size=70)
        ),
        max_size=8,
    )
)
def test_any_flat_document(tags: list[tuple[str, str]]) -> None:
    text = "<mrq>" + "".join(f"<{name}>{value}</{name}>" for name, value in tags) + "</mrq>"
    check("scaip", UpChannel.ALARM, text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("codec", NAMES)
def test_mutated_samples(codec: str) -> None:
    mutator = Mutator(codec, [sample.payload for sample in samples(codec)], random.Random(7))  # noqa: S311  draws payloads
    outcomes = {check(codec, channel, mutator.draw()) for _ in range(MUTATIONS // 3) for channel in UpChannel}
    assert "taken" in outcomes, "mutations that break everything test nothing"
    assert len(outcomes) > 4


@pytest.mark.parametrize("codec", NAMES)
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b"\x81", b"\xa1\x61a", b"\xc6", b"<a>", b"<mrq>&", b"\x9f"])
def test_any_depth(codec: str, opening: bytes) -> None:
    for times in (1, 20, 500, 16_000):
        for channel in UpChannel:
            check(codec, channel, opening * times)
