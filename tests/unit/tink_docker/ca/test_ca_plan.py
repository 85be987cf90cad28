from __future__ import annotations

import pytest

from tink_docker.ca.plan import CertificatePlan, plan_certificates
from tinkie.fetch.fetcher import Fetcher
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.table import read_parameters

URL = "registry_ca_url=http://tb/ca.pem"
TRUSTED = "trusted_ca_url=http://tb/company.pem"


def plans(line: str) -> tuple[CertificatePlan, ...]:
    found = plan_certificates(read_parameters(Cmdline.parse(line)))
    assert found.refusals == ()
    return found.plans


@pytest.mark.parametrize(
    ("line", "url", "hosts"),
    [
        (f"{URL} docker_registry=a:5000/x", "http://tb/ca.pem", ("a:5000",)),
        (f"{URL} docker_registry=a.b tink_worker_image=c/y", "http://tb/ca.pem", ("a.b",)),
        (
            f"{URL} docker_registry=a.b tink_worker_image=a.b/y packet_base_url=http://p",
            "http://tb/ca.pem",
            ("a.b",),
        ),
        (
            f"{URL} docker_registry=a.b tink_worker_image=b.example/y",
            "http://tb/ca.pem",
            ("a.b", "b.example"),
        ),
        (
            f"{URL} tink_worker_image=x registry_mirrors=https://m:5000/hub,http://plain,https://n",
            "http://tb/ca.pem",
            ("m:5000", "n"),
        ),
        (
            f"{URL} docker_registry=a:5000 registry_mirrors=https://m insecure_registries=m",
            "http://tb/ca.pem",
            ("a:5000",),
        ),
        (
            "packet_base_url=http://p:8080/w/ docker_registry=1.2.3.4 tink_worker_image=b.c/y",
            "http://p:8080/w/ca.pem",
            ("1.2.3.4",),
        ),
    ],
)
def test_where_it_comes_from_and_for_whom(line: str, url: str, hosts: tuple[str, ...]) -> None:
    (found,) = plans(line)
    assert (found.url, found.hosts, found.everywhere) == (url, hosts, False)
    assert [str(path) for path in found.paths] == [
        f"/etc/docker/certs.d/{host}/ca.crt" for host in hosts
    ]


def test_a_ca_for_everything_goes_to_the_known_hosts_too_where_it_works_at_once() -> None:
    (found,) = plans(
        f"{TRUSTED} docker_registry=a.b tink_worker_image=x registry_mirrors=https://m"
    )
    assert (found.url, found.everywhere) == ("http://tb/company.pem", True)
    assert [str(path) for path in found.paths] == [
        "/etc/docker/certs.d/.trusted/ca.crt",
        "/etc/docker/certs.d/a.b/trusted.crt",
        "/etc/docker/certs.d/m/trusted.crt",
    ]
    assert Fetcher().cas == found.paths[:1], "bootkit trusts it, too"


def test_both_may_be_given() -> None:
    both = plans(f"{TRUSTED} {URL} docker_registry=a.b")
    assert [plan.parameter for plan in both] == ["trusted_ca_url", "registry_ca_url"]
    assert not set(both[0].paths) & set(both[1].paths)


@pytest.mark.parametrize("line", ["", "docker_registry=a.b"])
def test_nothing_to_get(line: str) -> None:
    assert plans(line) == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (URL, "registry_ca_url has no effect: no registry is given"),
        (
            "packet_base_url=http://p tink_worker_image=b.c/y",
            "packet_base_url has no effect: no re",
        ),
        (f"{URL} tink_worker_image=b/x/y:1", "registry_ca_url has no effect: .* for docker.io"),
        (f"{URL} docker_registry=somebody", "registry_ca_url has no effect: .* for docker.io"),
        (f"{URL} docker_registry=a:1 insecure_registries=a:1", "no effect: .* for a:1"),
        (f"{URL} docker_registry=10.1.1.1:5 insecure_registries=10.0.0.0/8", "for 10.1.1.1:5"),
        (f"{URL} tink_worker_image=x registry_mirrors=http://m", "no effect: .* for docker.io"),
        (f"{URL} docker_registry=a.b registry_ca_sha256=zz", "because of registry_ca_sha256"),
        (f"{URL} docker_registry=https://a.b", "because of docker_registry"),
        ("registry_ca_url=ftp://x packet_base_url=http://p docker_registry=a.b", "registry_ca_url"),
        ("packet_base_url=http://p docker_registry=a.b registry_ca_sha256=zz", "because of reg"),
        ("trusted_ca_url=ftp://x", "because of trusted_ca_url"),
        (f"registry_ca_sha256={'0' * 64} docker_registry=a.b", "registry_ca_sha256 has no effect"),
        (f"{TRUSTED} registry_ca_sha256=zz", "because of registry_ca_sha256"),
    ],
)
def test_what_cannot_work_is_said(line: str, reason: str) -> None:
    found = plan_certificates(read_parameters(Cmdline.parse(line)))
    assert found.plans == ()
    (refusal,) = found.refusals
    assert refusal.hint
    with pytest.raises(type(refusal), match=reason):
        raise refusal


@pytest.mark.parametrize(
    ("line", "words", "others"),
    [
        ("docker_registry=a:1 insecure_registries=a:1", ["a:1", "insecure_registries"], ["Hub"]),
        ("docker_registry=somebody", ["Hub", "trusted_ca_url"], ["insecure_registries"]),
        ("", ["docker_registry"], ["Hub", "insecure_registries"]),
        (
            "docker_registry=a:1 tink_worker_image=x insecure_registries=a:1",
            ["a:1", "insecure_registries", "Hub", "trusted_ca_url"],
            ["docker_registry"],
        ),
    ],
)
def test_a_useless_certificate_has_its_own_cause_and_hint(
    line: str, words: list[str], others: list[str]
) -> None:
    (refusal,) = plan_certificates(read_parameters(Cmdline.parse(f"{URL} {line}"))).refusals
    assert not [word for word in words if word not in refusal.hint]
    assert not [word for word in others if word in f"{refusal}; {refusal.hint}"]


def test_a_bad_one_of_two_leaves_the_other() -> None:
    found = plan_certificates(
        read_parameters(Cmdline.parse(f"{TRUSTED} docker_registry=a.b registry_ca_url=ftp://x"))
    )
    assert [plan.parameter for plan in found.plans] == ["trusted_ca_url"]
    assert len(found.refusals) == 1
