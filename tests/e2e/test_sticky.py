"""`sticky = true`: a cookie of the router keeps a client on its instance for as long as that one serves."""

from harness import Traffic, web_app

COOKIE = "_pushrod_instance"


def manifest(sticky=True, count=3):
    """Several web instances."""
    return f"[processes.web]\ncommand = 'exec python3 web.py'\ncount = {count}\nsticky = {str(sticky).lower()}\n"


def instance(response):
    """Which one answered /env."""
    return response.json()["INSTANCE"]


def cookie_of(response):
    """The router's cookie as a client sends it back, with those of an app around it."""
    found = [value for value in response.headers.get_all("Set-Cookie", []) if value.startswith(COOKIE + "=")]
    assert len(found) <= 1, found
    return {"Cookie": f"mine=1; {found[0].split(';')[0]}; yours=2"} if found else None


def test_a_client_stays_with_its_instance(platform):
    app = platform.deploy(web_app(pushrod_toml=manifest()))
    clients = [app.get("/env") for _ in range(6)]
    assert len({instance(first) for first in clients}) == 3, "without a cookie the load is balanced"
    for first in clients:
        attributes = first.headers["Set-Cookie"].lower()
        assert "httponly" in attributes and "samesite=lax" in attributes and "path=/" in attributes
        for _ in range(4):
            again = app.get("/env", headers=cookie_of(first))
            assert instance(again) == instance(first) and not again.headers.get_all("Set-Cookie")


def test_a_cookie_of_an_instance_that_is_gone_is_replaced(platform):
    app = platform.deploy(web_app(pushrod_toml=manifest()))
    old = app.get("/env")
    app.push({"VERSION": "2"})
    for _ in range(3):
        new = app.get("/env", headers=cookie_of(old))
        assert new.json()["RELEASE"] == "2", "no client stays with a release that is going"
    fresh = cookie_of(new)
    assert fresh and instance(app.get("/env", headers=fresh)) == instance(new)
    platform.pushrod("scale", app.name, "web=5")
    assert instance(app.get("/env", headers=fresh)) == instance(new), "new instances take no client away"
    assert len({instance(app.get("/env")) for _ in range(10)}) == 5
    made_up = app.get("/env", headers={"Cookie": f"{COOKIE}=0123456789abcdef"})
    assert cookie_of(made_up)


def test_new_instances_have_their_cookie_at_once(platform):
    app = platform.deploy(web_app(pushrod_toml=manifest(count=1)))
    platform.pushrod("scale", app.name, "web=4")
    cookies = {instance(response): cookie_of(response) for response in (app.get("/env") for _ in range(8))}
    assert len(cookies) == 4
    assert all(instance(app.get("/env", headers=cookie)) == name for name, cookie in cookies.items())


def test_switching_it_on_and_off_fails_no_request_and_other_apps_have_no_cookie(platform):
    app = platform.deploy(web_app(pushrod_toml=manifest(sticky=False)))
    other = platform.deploy(web_app(pushrod_toml=manifest(sticky=False)))
    assert cookie_of(app.get("/env")) is None
    with Traffic(app) as traffic:
        app.push({"pushrod.toml": manifest()})
        held = cookie_of(app.get("/env"))
        assert held
        assert cookie_of(other.get("/env")) is None
        app.push({"pushrod.toml": manifest(sticky=False)})
        assert cookie_of(app.get("/env", headers=held)) is None
        platform.pushrod("rollback", app.name)
        assert cookie_of(app.get("/env"))
    traffic.assert_no_failure()


def test_only_web_can_be_sticky(platform):
    app = platform.create_app(
        web_app(pushrod_toml="[processes]\nweb = 'python3 web.py'\n[processes.worker]\ncommand = 'x'\nsticky = true\n")
    )
    assert "pushrod.toml:5:" in app.work.push(code=1).err
