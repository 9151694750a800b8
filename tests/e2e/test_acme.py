"""Certificates by ACME, from a CA on this machine (pebble) through lego."""

import os
import signal
import subprocess
import threading
import time

import pytest
from harness import CertificateAuthority, run_command, wait_until, web_app

HOST = "www.example.com"


@pytest.fixture
def authority(make_platform):
    """A CA, and a platform that may use it."""
    platform = make_platform()
    authority = CertificateAuthority(platform)
    platform.write_settings(authority.settings)
    try:
        yield authority
    finally:
        authority.stop()


def start(authority, **options):
    authority.start(**options)
    return authority.platform.start()


def get_secure(authority, host=HOST, path="/"):
    """What curl sees of https://host, with the CA's root."""
    port = authority.platform.ports.https
    argv = ["curl", "-sS", "--http2", "--cacert", authority.roots, "--resolve", f"{host}:{port}:127.0.0.1"]
    return subprocess.run([*argv, f"https://{host}:{port}{path}"], capture_output=True, text=True, check=False, timeout=30)


def certificate(platform, host=HOST):
    (found,) = [one for one in platform.json("cert", "list") if one["host"] == host]
    return found


def await_certificate(authority, host=HOST):
    platform = authority.platform
    wait_until(lambda: certificate(platform, host)["not_after"], 60, "a certificate")
    wait_until(lambda: get_secure(authority, host.replace("*", "shop")).returncode == 0, 10, "the router to show it")


def await_failure(platform, text, host=HOST):
    wait_until(lambda: text in certificate(platform, host)["state"], 60, f"an order to fail with {text!r}")


def fingerprint(platform):
    return certificate(platform).get("fingerprint_sha256")


def await_lego(platform):
    """Waits until an order runs; returns the pid."""
    return wait_until(lambda: platform.processes("lego --accept-tos"), 30, "lego to run")[0].pid


def test_a_domain_gets_a_certificate(authority):
    platform = start(authority)
    app = platform.deploy(web_app("1"))
    workers = {process.pid for process in platform.processes("haproxy")}
    result = platform.ssh("domain", "add", app.name, HOST)
    assert f"Certificate of {HOST}: is being obtained" in result.out
    await_certificate(authority)
    assert get_secure(authority).stdout == "1"
    assert platform.http(HOST, "/a").headers["location"] == f"https://{HOST}:{platform.ports.https}/a"
    assert platform.http(HOST, "/.well-known/acme-challenge/unknown").status == 404
    port = platform.ports.https
    shown = run_command(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", HOST, "-CAfile", authority.roots,
                         "-verify_return_error"], env=platform.client_env, input="")  # fmt: skip
    assert "Verify return code: 0 (ok)" in shown.out and "peer signature type: ecdsa" in shown.out.lower()
    one = certificate(platform)
    assert one["source"] == "acme" and one["apps"] == [app.name] and one["state"].startswith("renewal 20")
    file = platform.root / "certificates" / f"{HOST}.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "P-256" in run_command(["openssl", "pkey", "-in", file, "-noout", "-text"], env=platform.client_env).out

    # In other states of the app, too.
    for mode, words in (("stopped", ["stop", app.name]), ("maintenance", ["maintenance", "on", app.name])):
        platform.pushrod(*words)
        platform.pushrod("domain", "add", app.name, f"{mode}.example.com")
        await_certificate(authority, f"{mode}.example.com")
    assert workers == {process.pid for process in platform.processes("haproxy")}, "the router has been reloaded"


def test_a_certificate_is_renewed_without_a_failed_request(authority):
    platform = start(authority, lifetime=60)
    app = platform.deploy(web_app("1"))
    platform.pushrod("domain", "add", app.name, HOST)
    await_certificate(authority)
    first, failures, stop = fingerprint(platform), [], threading.Event()

    def ask():
        while not stop.is_set():
            answer = get_secure(authority)
            if answer.stdout != "1":
                failures.append(answer)

    client = threading.Thread(target=ask)
    client.start()
    try:
        wait_until(lambda: fingerprint(platform) not in (None, first), 90, "the renewal")
    finally:
        stop.set()
        client.join()
    assert not failures


def test_a_certificate_is_renewed_when_the_ca_says(authority):
    """Long before its lifetime would ask for it."""
    asked = {}

    def window(name):
        begin = asked.setdefault(name, time.time() + 5)
        return begin, begin

    platform = authority.platform
    authority.start(lifetime=600)
    server = authority.announce_renewals(window)
    try:
        platform.write_settings(authority.settings.replace(f"https://localhost:{authority.port}/dir", server.url))
        platform.start()
        app = platform.deploy(web_app("1"))
        platform.pushrod("domain", "add", app.name, HOST)
        await_certificate(authority)
        first = fingerprint(platform)
        wait_until(lambda: fingerprint(platform) not in (None, first), 40, "the renewal")
        assert asked
    finally:
        server.shutdown()
        server.server_close()


def test_an_order_that_fails_is_told_and_can_be_begun_again(authority):
    platform = authority.platform.start()
    app = platform.deploy(web_app("1"))
    platform.pushrod("domain", "add", app.name, HOST)
    await_failure(platform, "connection refused")
    assert "order failed: " in platform.pushrod("cert", "show", HOST).out
    assert "no certificate: " in platform.pushrod("domain", "list", app.name).out
    assert "no certificate: " in platform.pushrod("app", "info", app.name).out
    assert f"certificate of {HOST}" in platform.pushrod("doctor").out
    assert platform.http(HOST).text == "1"

    authority.start()
    authority.point(HOST, "127.0.0.2")
    platform.pushrod("cert", "renew", HOST)
    await_failure(platform, "127.0.0.2")
    authority.point(HOST, "127.0.0.1")
    platform.pushrod("cert", "renew", HOST)
    await_certificate(authority)
    first = fingerprint(platform)
    platform.pushrod("cert", "renew", HOST)
    wait_until(lambda: fingerprint(platform) != first, 60, "another certificate")
    # A CA that has lost its accounts.
    authority.stop()
    authority.start()
    platform.pushrod("cert", "renew", HOST)
    await_failure(platform, "accountDoesNotExist")
    second = fingerprint(platform)
    platform.pushrod("cert", "renew", HOST)
    wait_until(lambda: fingerprint(platform) != second, 60, "a certificate for a new account")


def test_an_order_that_is_killed_is_begun_again(authority):
    platform = start(authority)
    app = platform.deploy(web_app("1"))
    platform.pushrod("domain", "add", app.name, HOST)
    os.kill(await_lego(platform), signal.SIGKILL)
    await_failure(platform, "SIGKILL")
    platform.pushrod("cert", "renew", HOST)
    lego = await_lego(platform)
    os.kill(platform.daemon_pid(), signal.SIGKILL)
    wait_until(lambda: not os.path.exists(f"/proc/{lego}"), 10, "lego to end with the daemon")
    await_certificate(authority)


@pytest.fixture
def dns_provider(authority):
    server = authority.serve_dns_provider(password="s3cret-of-the-zone")
    yield server
    server.shutdown()
    server.server_close()


WILDCARD = "*.example.com"


def test_a_wildcard_gets_a_certificate_through_its_dns_provider(authority, dns_provider):
    platform = start(authority)
    app = platform.deploy(web_app("1"))
    result = platform.ssh("domain", "add", app.name, WILDCARD, code=1)
    assert "only by DNS-01" in result.err and "cert dns set" in result.err
    told = platform.ssh("cert", "dns", "set", "httpreq", "--zone", "example.com", input=dns_provider.variables)
    assert told.out.startswith("Wildcards of example.com get their certificates through httpreq (HTTPREQ_ENDPOINT, ")
    platform.ssh("domain", "add", app.name, WILDCARD)
    platform.pushrod("domain", "add", app.name, HOST)
    await_certificate(authority, WILDCARD)
    assert get_secure(authority, "shop.example.com").stdout == "1"
    assert get_secure(authority, HOST).stdout == "1"
    assert [one["host"] for one in platform.json("cert", "list")] == [WILDCARD], "one covers both hosts"
    assert dns_provider.records == ["_acme-challenge.example.com."]
    assert (platform.root / "certificates" / "_.example.com.pem").stat().st_mode & 0o777 == 0o600

    first = certificate(platform, WILDCARD)["fingerprint_sha256"]
    platform.pushrod("cert", "renew", WILDCARD)
    wait_until(lambda: certificate(platform, WILDCARD)["fingerprint_sha256"] != first, 60, "another certificate")

    # The values are nowhere but in lego's environment and, sealed, in the database.
    secret = "s3cret-of-the-zone"
    assert not platform.files_that_contain(secret)
    assert secret not in platform.ssh("cert", "dns", "list", "--json").out


def test_a_dns_provider_that_fails_keeps_the_old_certificate(authority, dns_provider):
    platform = start(authority)
    app = platform.deploy(web_app("1"))
    wrong = dns_provider.variables.replace("s3cret-of", "wrong-one")
    platform.pushrod("cert", "dns", "set", "httpreq", input=wrong)
    platform.pushrod("domain", "add", app.name, WILDCARD)
    await_failure(platform, "error presenting token", WILDCARD)
    state = certificate(platform, WILDCARD)["state"]
    assert "401" in state and "you are [redacted]:[redacted]" in state and "order failed" in state
    # A host below it does not wait.
    platform.pushrod("domain", "add", app.name, HOST)
    await_certificate(authority)
    # New credentials are tried at once.
    platform.pushrod("cert", "dns", "set", "httpreq", input=dns_provider.variables)
    await_certificate(authority, WILDCARD)
    first = certificate(platform, WILDCARD)["fingerprint_sha256"]
    dns_provider.fails = True
    platform.pushrod("cert", "renew", WILDCARD)
    await_failure(platform, "renewal failed: error presenting token", WILDCARD)
    assert certificate(platform, WILDCARD)["fingerprint_sha256"] == first
    assert get_secure(authority, "shop.example.com").stdout == "1"
    assert "s3cret-of-the-zone" not in platform.pushrod("cert", "list").out


def test_an_order_through_dns_that_is_killed_is_begun_again(authority, dns_provider):
    platform = start(authority)
    app = platform.deploy(web_app("1"))
    platform.pushrod("cert", "dns", "set", "httpreq", input=dns_provider.variables)
    platform.pushrod("domain", "add", app.name, WILDCARD)
    lego = await_lego(platform)
    os.kill(platform.daemon_pid(), signal.SIGKILL)
    wait_until(lambda: not os.path.exists(f"/proc/{lego}"), 10, "lego to end with the daemon")
    await_certificate(authority, WILDCARD)


def test_what_people_gave_is_not_replaced(authority):
    platform = start(authority)
    app = platform.deploy(web_app("1"))
    key, crt = platform.home / "tls.key", platform.home / "tls.crt"
    run_command(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=test", "-addext",
                 "subjectAltName=DNS:*.example.com", "-keyout", key, "-out", crt], env=platform.client_env)  # fmt: skip
    platform.pushrod("cert", "add", "*.example.com", input=crt.read_text() + key.read_text())
    platform.pushrod("domain", "add", app.name, HOST)
    assert [one["host"] for one in platform.json("cert", "list")] == ["*.example.com"]
    assert "which Pushrod does not replace" in platform.pushrod("cert", "renew", "*.example.com", code=1).err
    platform.pushrod("domain", "add", app.name, WILDCARD)
    platform.pushrod("cert", "remove", WILDCARD)
    await_certificate(authority)
