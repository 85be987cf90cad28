"""The search of the boot tests, seen to find what it is there for."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest

from tests.boot.ports import closed_ports
from tests.boot.secrecy import places_with

SECRET = "f00d+/c0ffee=@"


@pytest.mark.parametrize("before", ["", "x", "xy", "tinkie:", '{"username":"tinkie","password":"'])
@pytest.mark.parametrize("after", ["", '"}', "abc"])
def test_base64_is_found_wherever_the_secret_lies_in_it(before: str, after: str) -> None:
    text = f"{before}{SECRET}{after}".encode()
    for encode in (b64encode, urlsafe_b64encode):
        assert places_with(SECRET, {"log": b"header=" + encode(text)}).keys() == {"log"}


def test_plain_and_url_encoded_are_found() -> None:
    places = {"plain": f"password={SECRET}".encode(), "url": quote(SECRET, safe="").encode()}
    assert places_with(SECRET, places).keys() == {"plain", "url"}


def test_masked_and_other_words_are_not() -> None:
    line = json.dumps({"registry_password": "**********"}).encode()
    assert places_with(SECRET, {"log": line, "empty": b""}) == {}


REPORT = """<nmaprun><host><ports>
<extraports state="closed" count="5"><extrareasons reason="reset" ports="1-4,9"/></extraports>
<extraports state="filtered" count="2"><extrareasons reason="no-response" ports="5-6"/></extraports>
<port protocol="tcp" portid="22"><state state="open"/></port>
<port protocol="tcp" portid="68"><state state="open|filtered"/></port>
<port protocol="tcp" portid="80"><state state="closed"/></port>
</ports></host></nmaprun>"""


def test_only_ports_that_say_that_they_are_closed_count_as_closed() -> None:
    assert closed_ports(REPORT) == {1, 2, 3, 4, 9, 80}


def test_a_scan_without_answers_is_no_proof() -> None:
    silence = '<extraports state="open|filtered"><extrareasons ports="1-65535"/></extraports>'
    assert closed_ports(f"<nmaprun>{silence}</nmaprun>") == set()
