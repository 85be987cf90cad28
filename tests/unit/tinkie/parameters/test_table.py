from __future__ import annotations

import pytest
from pydantic import Field, SecretStr

from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.table import CommaList, Parameters, check_port, check_url


class Some(Parameters):
    number: int | None = Field(None, alias="the_number")
    port: int | None = Field(None, alias="the_port")
    hosts: CommaList = Field((), alias="the_names")
    secret: SecretStr | None = Field(None, alias="the_secret")


def read(text: str) -> tuple[Some, dict[str, str]]:
    return Some.read(Cmdline.parse(text))


def test_absent_empty_and_bare_are_not_given() -> None:
    text = "the_number= the_port other=1 the_names=,,"
    assert read(text) == (Some.model_validate({}), {})


def test_lists_have_commas_in_between() -> None:
    assert read("the_names=a,,b,")[0].hosts == ("a", "b")


def test_every_fault_is_told_by_its_parameter() -> None:
    _, problems = read("the_number=x the_port=y the_secret=hunter2")
    assert set(problems) == {"the_number", "the_port"}


def test_a_bad_value_leaves_the_good_ones() -> None:
    parameters, problems = read("the_number=x the_port=5")
    assert parameters.port == 5
    assert parameters.number is None
    assert set(problems) == {"the_number"}


def test_a_value_is_not_repeated_in_the_reason() -> None:
    _, problems = read("the_number=hunter2")
    assert "hunter2" not in problems["the_number"]


def test_secrets_mask_themselves() -> None:
    parameters, _ = read("the_secret=hunter2")
    assert parameters.secret is not None
    assert parameters.secret.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(parameters)


def test_the_names_are_the_kernel_parameters() -> None:
    assert Some.names() == ("the_number", "the_port", "the_names", "the_secret")


@pytest.mark.parametrize("text", ["", "0", "65536", "+5", " 5", "5\n", "\u0665", "9" * 5000])
def test_what_is_no_port(text: str) -> None:
    with pytest.raises(ValueError, match="not a port number"):
        check_port(text)


@pytest.mark.parametrize(
    "url",
    ["http://[pw]/", "http://u:pw@h\u2100/", "http://[::1", "http://u:pw/@h", "ftp://u:pw@h", "pw"],
)
def test_what_is_no_address_is_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="not a") as caught:
        check_url(url)
    assert "pw" not in str(caught.value)
