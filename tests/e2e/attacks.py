"""Code that attacks from inside of an app: functions of the tests, which the app apps/hostile.py runs."""

import inspect
import json
import textwrap

from harness import APPS


def deploy_hostile(platform):
    """The app that attacks, live."""
    files = {"hostile.py": (APPS / "hostile.py").read_text(), "Procfile": "web: exec python3 hostile.py\n"}
    return platform.deploy(files)


def walls_of(platform):
    """Which walls this kernel has, as doctor says: name → bool."""
    return {finding["name"]: finding["good"] for finding in platform.json("doctor")}


def attempt(app, attack, **arguments):
    """Runs the function inside the app; its result, or the name of the error that ended it."""
    source = textwrap.dedent(inspect.getsource(attack)).replace(attack.__name__, "attack", 1)
    headers = {"X-Arguments": json.dumps(arguments)}
    response = app.platform.http(app.host, "/", "POST", headers, source.encode())
    assert response.status == 200, response.text
    answer = response.json()
    return answer.get("error", answer.get("result"))
