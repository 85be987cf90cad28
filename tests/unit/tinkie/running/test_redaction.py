"""No secret survives: not escaped, not cut, not in a URL; and nothing else is masked."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinkie.errors import TransientError
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.types import percent_encoded
from tinkie.policy import ERROR_MESSAGE_CHARACTERS
from tinkie.running import redaction
from tinkie.running.redaction import MASK, Redactor, secrets_in

ODD = "a<b>&\"c'd\\e f/g@h:i+j é%\u2028ok"
SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2100, exclude_characters="*…"), min_size=5
)


def masked(text: str, *secrets: str) -> str:
    redactor = Redactor()
    redactor.hide(*secrets)
    return redactor.text(text)


@pytest.mark.parametrize(
    ("shown", "secret"),
    [
        (r"\"a\u003cb\u003e\u0026\"", "a<b>&"),  # Go's encoding/json
        (r"a\u2028ok", "a\u2028ok"),
        ("x\u00e9y x", "x\u00e9y x"),
        (r"x\u00e9y x", "x\u00e9y x"),  # Python's json
        ("p$&+,;=%2F%3A%40", "p$&+,;=/:@"),  # Go's url.UserPassword
        ("p%2fq%3a", "p/q:"),
        ("p%252Fq%253A", "p/q:"),  # twice
        (r"say \\\"hi\\\"", 'say "hi"'),  # JSON in JSON
        (r"b\\c'd", r"b\c'd"),  # Python's repr
        ("YWI=", "ab"),
        ("p%2Fq", "p/q"),
        ("YQ==", "a"),
        (base64.b64encode(b"user:hunter2").decode(), "hunter2"),
    ],
)
def test_a_form_of_a_secret_is_masked(shown: str, secret: str) -> None:
    found = masked(f"invalid value {shown} given", secret)
    assert MASK in found
    assert shown not in found


@given(st.text("a\ud800\udcff\udfff", min_size=6))
def test_any_text_can_be_a_secret(secret: str) -> None:
    assert secret not in masked(f"it is {secret} x", secret)


def forms(secret: str) -> list[str]:
    once = [json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret, safe=""), quote(secret)]
    return [secret, *once, *(json.dumps(form)[1:-1] for form in once)]


@given(secret=SECRETS, before=st.text(max_size=9), data=st.data())
def test_no_beginning_of_a_secret_survives_at_a_cut(secret: str, before: str, data: Any) -> None:
    """Whoever cut it: we do so at 400, 2,000 and 4,096 characters, servers where they like."""
    form = data.draw(st.sampled_from(forms(secret)))
    cut = data.draw(st.integers(4, len(form)))
    for end in ("…", "…; trying again"):
        assert form[:cut] + end not in masked(before + form[:cut] + end, secret)
    long = "x" * 400 + before + form[:cut]
    assert not masked(long, secret).endswith(form[:cut])


def test_no_cut_of_an_odd_secret_shows_any_of_it() -> None:
    for form in forms(ODD):
        for cut in range(4, len(form)):
            assert masked(f"pull w: {form[:cut]}…", ODD) == f"pull w: {MASK}…"


@pytest.mark.parametrize("length", range(ERROR_MESSAGE_CHARACTERS - 12, ERROR_MESSAGE_CHARACTERS))
def test_an_error_that_is_cut_within_a_password_has_none_of_it(length: int) -> None:
    error = TransientError("x" * length + "hunter2-and-more" * 3)
    assert masked(str(error), "hunter2-and-more").rstrip("*…").endswith(("x", "xh", "xhu", "xhun"))


@pytest.mark.parametrize("text", ["tink-worker", "registry.lan/tink", "worker ended"])
def test_a_short_text_that_ends_like_a_secret_begins_stays(text: str) -> None:
    assert masked(text, "worker2024", "tinkerbell", "ended-pw") == text


def test_a_text_of_nothing_but_cuts_takes_no_time() -> None:
    assert masked("…" * 64_000, ODD) == "…" * 64_000


def test_every_cut_of_a_text_is_looked_at() -> None:
    text = "hunt…, hunter… and hunter2-…; " * 100
    expected = f"{MASK}…, {MASK}… and {MASK}…; " * 100
    assert masked(text, "hunter2-and-more") == expected


def test_nothing_of_secrets_that_overlap_is_left() -> None:
    assert masked("say abcdefgh!", "abcde", "cdefgh") == f"say {MASK}!"
    assert masked("abcdeabcde cdefgh", "abcde", "cdefgh") == f"{MASK}{MASK} {MASK}"


WORDS = st.text(st.characters(max_codepoint=0x17F, categories=["Ll"]), min_size=5, max_size=40)


@given(st.lists(WORDS, min_size=3, max_size=6), st.data())
def test_nothing_of_a_chain_of_secrets_is_left(words: list[str], data: Any) -> None:
    """Each secret ends with a word that the next one begins with."""
    secrets = ["-".join(pair) for pair in pairwise(words)]
    forms_of_all = ("-".join(words), quote("-".join(words)), json.dumps("-".join(words))[1:-1])
    form = data.draw(st.sampled_from(forms_of_all))
    assert masked(f"say {form} 123", *data.draw(st.permutations(secrets))) == f"say {MASK} 123"
    cut = len(form) - data.draw(st.integers(0, 4))
    assert masked(f"say {form[:cut]}… 123", *secrets).startswith(f"say {MASK}")


@given(WORDS, WORDS, st.data())
def test_nothing_is_left_of_a_password_beside_a_secret_that_overlaps_it(
    password: str, host: str, data: Any
) -> None:
    start, end = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 5))
    secret = f"{password[start:]}@{host[:end]}"
    url = f"https://123:{password}@{host}/123"
    assert masked(url, secret) == f"https://{MASK}{host[end:]}/123"


def test_a_query_with_an_at_sign_is_masked_to_its_end() -> None:
    url = "https://host.example/cert.pem?token=abc@tail"
    assert masked(url, *secrets_in(Cmdline.parse(f"grpc_cert_url={url}"))) == f"https://{MASK}"


def test_a_user_before_a_password_with_a_slash_is_masked() -> None:
    assert masked("http://operator:a/bcdefg@h", "a/bcdefg") == f"http://{MASK}@h"


TOKENS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*"),
    min_size=60,
    max_size=200,
)


@given(TOKENS, st.data())
def test_a_token_is_masked_up_to_the_end_of_the_word(token: str, data: Any) -> None:
    encoded = base64.b64encode(f"u:{token}".encode()).decode()
    form = data.draw(st.sampled_from([*forms(token), encoded]))
    found = masked(f"say {form} and {form}… now", token)
    assert found.replace(encoded[:3], "") == f"say {MASK} and {MASK}… now"
    cut = data.draw(st.integers(4, len(token) - 1))
    assert masked(f"say {token[:cut]}…", token) == f"say {MASK}…"


def test_of_a_long_secret_with_blanks_nothing_is_left() -> None:
    secret = "correct horse battery staple " * 9
    assert masked(f"say {secret}! now", secret) == f"say {MASK}"
    assert masked(f"say {secret[:70]}", secret, secret[:64], secret[:64] + "x") == f"say {MASK}"


def test_tokens_that_begin_alike_are_all_masked() -> None:
    start = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9." * 2
    tokens = [f"{start}{number}" for number in range(3)]
    assert masked(" ".join((*tokens, start)), *tokens) == " ".join([MASK] * 4)


@given(st.text(max_size=3), st.text())
def test_a_secret_of_less_than_four_characters_is_masked_nowhere_as_it_is(
    secret: str, text: str
) -> None:
    assert masked(f"a {secret} b {text}", secret).startswith(f"a {secret} b ")


@given(st.text("abc/@:ö", min_size=1, max_size=8), st.sampled_from(["http://", "socks5://", ""]))
def test_the_password_of_a_proxy_ends_at_the_last_at_sign(password: str, scheme: str) -> None:
    found = secrets_in(Cmdline.parse(f"http_proxy={scheme}user:{password}@proxy.example:3128"))
    assert set(found) == {password, percent_encoded(password)}


def test_our_own_words_stay_although_they_are_a_password() -> None:
    redactor = Redactor()
    redactor.hide("phase", "error", "bootkit", "other")
    event = {
        "event": "phase.started", "phase": "error", "level": "error", "program": "bootkit",
        "kind": "other", "error": "an error of bootkit", "phases": ["phase 1"],
    }  # fmt: skip
    assert redactor(None, "", dict(event)) == {
        **event, "error": f"an {MASK} of {MASK}", "phases": [f"{MASK} 1"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["metadata_url", "registry_ca_url", "grpc_cert_url", "tinkerbell", "packet_base_url"]
)
@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("http://tb/x?token=abcd1234&v=1", ["abcd1234"]),
        ("http://tb/x?abcd1234", ["abcd1234"]),
        ("http://tb/x?X-Amz-Signature=ab%2Fcd+ef", ["ab%2Fcd+ef", "ab/cd+ef", "ab/cd ef"]),
        ("http://tb/x?X-Amz-Signature=ab%2Fcd+ef/", ["ab%2Fcd+ef", "ab/cd ef/"]),
        (
            "http://h/c?code=hunter22xyzzy&t=abcdefghij",
            ["code=hunter22xyzzy", "t=abcdefghij", "code=hunter22xyzzy&t=abcdefghij"],
        ),
        ("http://tb/x?code=ab%2Fcd+e%", ["code=ab%2Fcd+e%25", "code=ab/cd e%"]),
        ("http://tb/x?t=ab&u=cd", ["t=ab&u=cd"]),
        ("http://tb/x?token=ab", ["token=ab"]),
        ("http://tb/x?token=abc@S3CR3TTAIL", ["token=abc@S3CR3TTAIL", "abc@S3CR3TTAIL"]),
        ("http://tb/x?c3VwZXJ0b2tlbjE=", ["c3VwZXJ0b2tlbjE=", "c3VwZXJ0b2tlbjE%3D"]),
        ("http://tb/x?v=12345678&c3VwZXJ0b2s=", ["c3VwZXJ0b2s="]),
        ("http://operator:hunter2@tb/x", ["hunter2", "operator"]),
        ("http://u:hun/ter2@tb/x", ["hun/ter2"]),
        ("http://u:hun?ter2@tb/x", ["hun?ter2"]),
    ],
)
def test_what_may_be_secret_in_a_url_is_masked(name: str, url: str, secrets: list[str]) -> None:
    found = secrets_in(Cmdline.parse(f"{name}={url}"))
    for secret in secrets:
        assert secret not in masked(f"the server says: {secret}!", *found)
        assert secret not in masked(url, *found)
    assert masked("attempt 1 of 2 at tb", *found) == "attempt 1 of 2 at tb"


@pytest.mark.parametrize(
    "query",
    ["mac=52:54:00:12:34:56", "ref=main&inline=false", "format=json", "contact=ops@lan", "worker="],
)
def test_words_of_a_query_are_no_secrets_elsewhere(query: str) -> None:
    url = f"http://10.0.0.1:7080/metadata?{query}"
    found = secrets_in(Cmdline.parse(f"metadata_url={url}"))
    text = "worker 52:54:00:12:34:56 on main at 10.0.0.1: daemon.json, format, false, ops@lan"
    assert masked(text, *found) == text
    assert query not in masked(url, *found)


def test_the_last_secrets_of_a_source_are_masked_and_no_older_ones() -> None:
    redactor = Redactor()
    redactor.hide("of-the-command-line")
    for number in (1, 2, 2, 3, 4, 5):
        redactor.renew("file", [f"password-{number}"])
    redactor.renew("other", ["elsewhere"])
    text = " ".join(f"password-{number}" for number in range(1, 6))
    assert redactor.text(text) == f"password-1 password-2 password-3 {MASK} {MASK}"
    assert redactor.text("of-the-command-line elsewhere") == f"{MASK} {MASK}"
    redactor.reset()
    assert redactor.text("password-5 elsewhere") == "password-5 elsewhere"


def test_secrets_that_stay_are_not_worked_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    worked_out: list[str] = []

    def forms_of(secret: str, _size: int = 0) -> dict[str, int]:
        worked_out.append(secret)
        return {secret: 0}

    monkeypatch.setattr(redaction, "_forms_of", forms_of)
    redactor = Redactor()
    for secrets in (["one1", "two2"], ["two2", "one1"], ["two2", "three"], ["one1"]):
        redactor.renew("file", secrets)
        redactor.hide("fixed", None, "")
    assert sorted(worked_out) == ["fixed", "one1", "three", "two2"]
    assert redactor.text("one1 two2 three fixed") == " ".join([MASK] * 4)


def test_a_long_secret_takes_no_more_memory_than_its_beginning() -> None:
    """A registry's token has some KiB, and its forms a hundred times that."""

    def size(length: int) -> int:
        redactor = Redactor()
        redactor.hide((ODD * 1000)[:length])
        return sum(map(len, redactor._forms))

    assert size(10_000) == size(100)


def test_many_long_secrets_take_little_memory_and_are_masked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file of passwords may have hundreds, and others each time."""
    monkeypatch.setattr(redaction, "SECRET_HEADS_CHARACTERS", 32 * 16)
    redactor = Redactor()
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    sizes = []
    for start in range(4):
        secrets = [letters[start + begin :][:100] for begin in range(0, 160, 5)]
        redactor.renew("file", secrets)
        assert {redactor.text(f"say {secret} now") for secret in secrets} == {f"say {MASK} now"}
        sizes.append(sum(map(len, redactor._forms)))
    assert sizes[1:] == pytest.approx([sizes[1]] * 3, rel=0.1)
    assert sizes[1] < 2 * 32 * 10_000
