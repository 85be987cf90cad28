from __future__ import annotations

import re
from itertools import cycle

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.sentences import CONTAINERS, PROXIES, PULLS
from tinkie import error_sentences
from tinkie.error_kinds import ErrorKind
from tinkie.error_sentences import IN_PAGES, LATE_PATTERNS, PATTERNS, WHO, host_in, read
from tinkie.hints import Asked

TABLES = ((PULLS, Asked.REGISTRY), (PROXIES, Asked.REGISTRY), (CONTAINERS, Asked.ENGINE))
ROWS = [
    (sentence, kind, asked)
    for table, asked in TABLES
    for kind, sentences in table.items()
    for sentence in sentences
]
SENTENCES = sorted({sentence for sentence, _, _ in ROWS})
ORDINARY = ("registry.example:5000", "acme/tink-worker", "latest")


def named(sentence: str, host: str, image: str, tag: str) -> str:
    """Return the sentence with these names."""
    return sentence.replace("HOST", host).replace("IMAGE", image).replace("TAG", tag)


@pytest.mark.parametrize(("sentence", "kind", "asked"), ROWS)
def test_a_sentence_has_its_kind(sentence: str, kind: ErrorKind, asked: Asked) -> None:
    assert read(named(sentence, *ORDINARY), asked).kind is kind


def test_there_are_sentences_of_each_kind_that_dockerd_reports() -> None:
    ours = {ErrorKind.BAD_PARAMETER, ErrorKind.BUG}
    assert {kind for _, kind, _ in ROWS} == set(ErrorKind) - ours


@pytest.mark.parametrize("kind", PROXIES)
def test_what_a_proxy_does_is_not_blamed_on_the_registry(kind: ErrorKind) -> None:
    for sentence in PROXIES[kind]:
        assert read(sentence, Asked.REGISTRY) == (kind, Asked.PROXY), sentence


def test_a_registry_is_not_taken_for_a_proxy() -> None:
    theirs = {sentence for sentences in PROXIES.values() for sentence in sentences}
    for kind in set(PULLS) - {ErrorKind.PROXY_REFUSED}:
        for sentence in set(PULLS[kind]) - theirs:
            assert read(sentence, Asked.REGISTRY).asked is not Asked.PROXY, sentence


def test_a_server_that_dockerd_needs_for_a_container_is_not_dockerd() -> None:
    for kind in (ErrorKind.NAME_RESOLUTION, ErrorKind.REFUSED):
        (sentence,) = CONTAINERS[kind]
        assert read(sentence, Asked.ENGINE).asked is Asked.SERVER
    (late,) = CONTAINERS[ErrorKind.TIMEOUT]
    assert read(late, Asked.ENGINE).asked is Asked.ENGINE


@pytest.mark.parametrize("sentence", PULLS[ErrorKind.ENGINE_NOT_READY][:1])
def test_containerd_behind_its_unix_socket_is_not_the_registry(sentence: str) -> None:
    assert read(sentence, Asked.REGISTRY).asked is Asked.ENGINE


def decisive(patterns: str) -> set[str]:
    """Return the patterns of a table that decide the kind of a sentence, or who it is about."""
    found: set[str] = set()
    real = error_sentences.first_in

    def spy(table: tuple[tuple[str, object], ...], text: str) -> object:
        if table is getattr(error_sentences, patterns):
            found.update(
                [pattern for pattern, _ in table if re.search(pattern, text, re.IGNORECASE)][:1]
            )
        return real(table, text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(error_sentences, "first_in", spy)
        for sentence, _, asked in ROWS:
            read(sentence, asked)
    return found


@pytest.mark.parametrize("table", ["WHO", "IN_PAGES", "PATTERNS", "LATE_PATTERNS"])
def test_each_pattern_decides_a_sentence(table: str) -> None:
    patterns = [pattern for pattern, _ in getattr(error_sentences, table)]
    assert len(patterns) == len(set(patterns))
    assert set(patterns) - decisive(table) == set()


@pytest.mark.parametrize("pattern", [p for p, _ in (*WHO, *IN_PAGES, *PATTERNS, *LATE_PATTERNS)])
def test_no_name_alone_matches_a_pattern(pattern: str) -> None:
    """A name has no blank: a pattern must need one, or be a whole part of the sentence."""
    assert " " in pattern or r"\s" in pattern or r"(?:^|: )EOF" in pattern


WORDS = sorted(
    {
        word.lower()
        for text in (*SENTENCES, *(pattern for pattern, _ in (*PATTERNS, *LATE_PATTERNS)))
        for word in re.findall(r"[A-Za-z0-9]{2,}", text)
    }
)
HOSTS = (
    *("timeout.example.com", "connection-refused.example.com", "no-such-host", "eof", "denied"),
    *("unauthorized:5000", "x509", "tls:443", "unknown", "http2", "lookup", "proxyconnect"),
    *("407.example", "toomanyrequests", "forbidden", "io.timeout", "not.found", "dial.unix"),
)
IMAGES = (
    *("eof/forbidden", "denied", "unauthorized/eof", "x509", "toomanyrequests/unknown", "tls"),
    *("manifest_unknown/not-found", "http/404", "no.such.image", "lookup", "unsupported/denied"),
)
TAGS = ("EOF", "denied", "407", "503", "Forbidden", "unauthorized", "no-space-left-on-device")


@pytest.mark.parametrize("sentence", [one for one in SENTENCES if named(one, *ORDINARY) != one])
def test_hosts_and_images_with_odd_names_do_not_decide(sentence: str) -> None:
    expected = read(named(sentence, *ORDINARY), Asked.REGISTRY)
    for names in zip(HOSTS, cycle(IMAGES), cycle(TAGS), strict=False):
        assert read(named(sentence, *names), Asked.REGISTRY) == expected


NAMES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5)


@given(
    st.sampled_from(SENTENCES),
    NAMES.map(".".join) | NAMES.map("-".join),
    NAMES.map("/".join) | NAMES.map("_".join),
    NAMES.map(".".join) | NAMES.map("-".join),
)
@example('Get "https://HOST/v2/": dial tcp: lookup HOST: no such host', "denied", "a", "b")
@example("No such image: IMAGE:TAG", "a", "eof", "EOF")
def test_no_name_decides(sentence: str, host: str, image: str, tag: str) -> None:
    expected = read(named(sentence, *ORDINARY), Asked.REGISTRY)
    assert read(named(sentence, host, image, tag), Asked.REGISTRY) == expected


@pytest.mark.parametrize(
    "before",
    [
        "Error response from daemon: ",
        "pull timeout.example.com/eof/denied:unauthorized: ",
        "rpc error: code = Unknown desc = ",
        'failed to pull and unpack image "denied: i/o timeout": ',
    ],
)
def test_what_stands_before_a_sentence_does_not_decide(before: str) -> None:
    for sentence in SENTENCES:
        text = named(sentence, *ORDINARY)
        assert read(before + text, Asked.REGISTRY) == read(text, Asked.REGISTRY), text


@pytest.mark.parametrize("kind", CONTAINERS)
def test_what_containerd_puts_behind_a_sentence_does_not_decide(kind: ErrorKind) -> None:
    for sentence in CONTAINERS[kind]:
        assert read(f"{sentence}: unknown", Asked.ENGINE).kind is kind


def test_what_stands_in_quotes_does_not_decide() -> None:
    page = r'"<h1>connection refused</h1> \"no such host\": denied: i/o timeout"'
    text = f"error parsing HTTP 404 response body: invalid character '<' looking for: {page}"
    assert read(text, Asked.REGISTRY).kind is ErrorKind.NOT_FOUND


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    kind, asked = read(text, Asked.REGISTRY)
    assert isinstance(kind, ErrorKind)
    assert isinstance(asked, Asked)


@pytest.mark.parametrize(
    ("sentence", "host"),
    [
        ('Get "https://R.example/v2/": dial tcp: lookup r.example: no such host', "r.example"),
        ("Get https://r.example:5000/v2/: no such host", "r.example:5000"),
        ('Get "https://[fd00::9]:5000/v2/": dial tcp: connection refused', "[fd00::9]:5000"),
        ('Get "https://u:p@s3.example/b?X-Amz-Date=1": EOF', "s3.example"),
        ("failed after attempts=6: dial tcp: lookup s3.example: no such host", "s3.example"),
        ("dial tcp: lookup s3.example. on [::1]:53: server misbehaving", "s3.example"),
        ('Head "https://r.example/v2/x": Get "https://auth.example/t?a=b": EOF', "auth.example"),
        ("dial tcp 10.0.0.9:443: connect: connection refused", ""),
        ("Temporary failure in name resolution", ""),
        ("", ""),
    ],
)
def test_the_host_that_a_sentence_is_about(sentence: str, host: str) -> None:
    assert host_in(f"pull r.example/lookup/x: {sentence}") == host


@given(st.text(max_size=200))
@example("Get https://[")
@example("Get https://@")
def test_any_text_has_a_host_or_none(text: str) -> None:
    assert not set(host_in(text)) & set(' /"')
