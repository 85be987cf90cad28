"""The encodings of a secret, and where they are found."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, quote_plus


def encodings(secret: str) -> set[bytes]:
    """Return a secret as it is, URL-encoded, and as a part of a longer text in base64."""
    plain = secret.encode()
    found = {plain, quote(secret, safe="").encode(), quote_plus(secret).encode()}
    for encode in (b64encode, urlsafe_b64encode):
        found |= set(_inside_base64(plain, encode))
    return found


def _inside_base64(plain: bytes, encode: Callable[[bytes], bytes]) -> Iterator[bytes]:
    # Three bytes make four characters, so a secret looks different at each of three places.
    for before in range(3):
        whole = (before + len(plain)) // 3 * 3
        text = encode((b"\0" * before + plain)[:whole])
        yield text[-(-before * 8 // 6) :]


def places_with(secret: str, places: Mapping[str, bytes]) -> dict[str, set[bytes]]:
    """Return place -> the encodings of the secret that are found there, without empty places."""
    found = {
        name: {text for text in encodings(secret) if text in content}
        for name, content in places.items()
    }
    return {name: texts for name, texts in found.items() if texts}
