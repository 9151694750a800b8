"""Domains of apps, and certificates for them: at run time, without a reload, and for as long as the app has them."""

import json
import subprocess

import pytest
from harness import Traffic, run_command, wait_until, web_app


def routers(platform):
    """The processes of HAProxy: a reload makes another one."""
    return {process.pid for process in platform.processes("haproxy") if process.argv and process.argv[0].endswith("haproxy")}


@pytest.fixture
def app(platform):
    return platform.deploy(web_app("1"))


def name_of(platform):
    return f"{platform.unique_name('www')}.example.test"


def test_a_domain_leads_to_the_app_until_it_is_removed(platform, app):
    host, other = name_of(platform), name_of(platform)
    assert platform.http(host).status == 404
    result = platform.ssh("domain", "add", app.name, host, f"{other}/shop")
    assert f"http://{host}:{platform.ports.http} leads to {app.name}." in result.out
    assert platform.http(host).text == "1" and "no /shop here" in platform.http(other, "/shop").text
    assert "No app answers" in platform.http(other, "/shopping").text
    platform.pushrod("domain", "add", app.name, f"{other}/shop", "--strip-prefix")
    assert platform.http(other, "/shop").text == "1"
    assert host in platform.pushrod("domain", "list", app.name).out
    assert host in platform.pushrod("app", "info", app.name).out
    assert [one["domain"] for one in platform.json("domain", "list", app.name)] == sorted(
        [f"{app.name}.localhost", host, f"{other}/shop"], key=lambda name: (name != f"{app.name}.localhost", name)
    )
    platform.pushrod("domain", "remove", app.name, host)
    assert platform.http(host).status == 404 and platform.http(other, "/shop").text == "1"
    assert [entry["action"] for entry in platform.json("audit", app.name)][:2] == ["domain remove", "domain add"]


def test_a_domain_stays_with_its_app(platform, app):
    host = name_of(platform)
    platform.pushrod("domain", "add", app.name, host)
    app.push({"VERSION": "2"})
    assert platform.http(host).text == "2"
    platform.pushrod("rollback", app.name)
    assert platform.http(host).text == "1"
    new = platform.unique_name()
    platform.pushrod("app", "rename", app.name, new)
    app.name = new
    assert platform.http(host).text == "1"
    app.work.push("--delete", app.branch, options=["confirm=" + app.branch])
    assert platform.http(host).status == 503
    assert host in platform.pushrod("app", "info", app.name).out
    platform.pushrod("app", "destroy", app.name, "--yes")
    assert platform.http(host).status == 404
    other = platform.deploy(web_app("other"))
    platform.pushrod("domain", "add", other.name, host)
    assert platform.http(host).text == "other"


def test_no_request_fails_and_nothing_is_reloaded_for_domains_and_apps(platform, app):
    workers = routers(platform)
    with Traffic(app) as traffic:
        traffic.await_requests(20)
        for number in range(5):
            platform.pushrod("domain", "add", app.name, f"a{number}.{name_of(platform)}")
        platform.create_app(web_app("new"))
        traffic.await_requests(20)
    assert not traffic.failures()
    assert routers(platform) == workers


@pytest.fixture
def secure(make_platform):
    platform = make_platform()
    platform.write_settings(f'[https]\nlisten = "127.0.0.1:{platform.ports.https}"\n')
    return platform.start()


def make_certificate(platform, *hosts):
    """A certificate for the hosts and its key, in PEM."""
    key, crt = platform.home / "tls.key", platform.home / "tls.crt"
    names = ",".join(f"DNS:{host}" for host in hosts)
    run_command(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
                 "-subj", "/CN=test", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", crt],
                env=platform.client_env)  # fmt: skip
    return crt, crt.read_text() + key.read_text()


def get_secure(platform, host, ca, *options, path="/"):
    """What curl sees of https://host, with this CA."""
    port = platform.ports.https
    argv = ["curl", "-sS", "--cacert", ca, "--resolve", f"{host}:{port}:127.0.0.1", *options, f"https://{host}:{port}{path}"]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)


def test_a_certificate_makes_a_domain_answer_over_https(secure):
    platform, host = secure, "www.example.com"
    app = platform.deploy(web_app("1"))
    platform.pushrod("domain", "add", app.name, host, "--hsts", "1d")
    workers = routers(platform)
    ca, pem = make_certificate(platform, host)
    result = platform.ssh("cert", "add", host, input=pem)
    assert f"https://{host} has this certificate until" in result.out and "clients may not trust it" in result.out
    answer = get_secure(platform, host, ca, "--http2", "-i")
    assert answer.stdout.startswith("HTTP/2 200") and answer.stdout.endswith("1"), answer
    assert "strict-transport-security: max-age=86400" in answer.stdout
    redirect = platform.http(host, "/a?b=c")
    assert (redirect.status, redirect.headers["location"]) == (308, f"https://{host}:{platform.ports.https}/a?b=c")
    assert f"https://{host}" in platform.pushrod("app", "info", app.name).out
    (shown,) = platform.json("cert", "list")
    assert shown["host"] == host and shown["apps"] == [app.name] and shown["source"] == "operator"
    assert (platform.root / "certificates" / f"{host}.pem").stat().st_mode & 0o777 == 0o600

    platform.pushrod("stop", app.name)
    ca, pem = make_certificate(platform, host)
    platform.pushrod("cert", "add", host, input=pem)
    assert "503" in get_secure(platform, host, ca).stdout, "renewed while the app is stopped"
    assert routers(platform) == workers
    platform.pushrod("cert", "remove", host)
    assert get_secure(platform, host, ca).returncode == 35
    assert not list((platform.root / "certificates").iterdir())
    assert not list((platform.root / "run" / "router" / "certificates").iterdir())


def test_certificates_are_shown_again_after_a_restart(secure):
    platform, host = secure, "www.example.com"
    app = platform.deploy(web_app("1"))
    platform.pushrod("domain", "add", app.name, host)
    ca, pem = make_certificate(platform, host)
    platform.pushrod("cert", "add", host, input=pem)
    platform.stop()
    platform.start()
    wait_until(lambda: get_secure(platform, host, ca).stdout == "1", 20, "the app to answer")


def test_a_certificate_that_does_not_fit_is_refused(secure):
    platform = secure
    app = platform.deploy(web_app("1"))
    platform.pushrod("domain", "add", app.name, "www.example.com")
    _, pem = make_certificate(platform, "other.example.com")
    result = platform.pushrod("cert", "add", "www.example.com", input=pem, code=1)
    assert "not valid for www.example.com: it names other.example.com" in result.err
    assert platform.json("cert", "list") == []
    key = platform.make_key("anna")
    platform.pushrod("key", "add", "anna", f"{key}.pub", "--role", "deploy", "--app", app.name)
    result = platform.ssh("cert", "add", "other.example.com", key=key, input=pem, code=1)
    assert "not a domain of an app that your key may deploy" in result.err


def test_a_key_without_the_right_learns_nothing_of_others(platform, app):
    other = platform.deploy(web_app("other"))
    host = name_of(platform)
    platform.pushrod("domain", "add", other.name, host)
    key = platform.make_key(platform.unique_name("person"))
    platform.pushrod("key", "add", key.name.removeprefix("key."), f"{key}.pub", "--role", "deploy", "--app", app.name)
    result = platform.ssh("domain", "add", app.name, host, key=key, code=1)
    assert f"{host} belongs to another app" in result.err and other.name not in result.err
    shown = json.loads(platform.ssh("domain", "list", "--json", key=key).out)
    assert {one["app"] for one in shown} == {app.name}
