"""How a secret could be written, and where."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, quote_plus


def writings(secret: str) -> set[bytes]:
    """A secret as it is, URL-encoded, and as it looks inside a longer text put into base64."""
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


def places_that_tell(secret: str, places: Mapping[str, bytes]) -> dict[str, set[bytes]]:
    """Place -> the writings of the secret that are found there; places without any are absent."""
    found = {
        name: {text for text in writings(secret) if text in content}
        for name, content in places.items()
    }
    return {name: texts for name, texts in found.items() if texts}
