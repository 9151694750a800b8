"""The developer's side: a clone, and an app with what Pushrod says of it."""

import contextlib
import http.client
import os
from pathlib import Path

from .commands import finish, wait_until

APPS = Path(__file__).parent.parent / "apps"

# pushrod.toml of a build that says that it has begun, and goes on when it is told to (see App.await_build()).
HELD_BUILD = """[build]
command = "touch /cache/begun; echo building; until [ -e /cache/go ]; do sleep 0.02; done; rm -f /cache/begun"
"""


def web_app(version="1", **files):
    """The files of the test app (apps/web.py), which answers `version`. More files as keyword arguments, where "_"
    stands for ".": web_app("2", pushrod_toml="…"). There is a Procfile unless pushrod.toml names the processes."""
    app = {"web.py": (APPS / "web.py").read_text(), "VERSION": version + "\n"}
    if "[processes" not in files.get("pushrod_toml", ""):
        app["Procfile"] = "web: python3 web.py\n"
    return app | {name.replace("_", "."): content for name, content in files.items()}


def dying_app(version, seconds):
    """web_app() that ends this long after it has begun, each time."""
    files = web_app(version)
    dies = f"import os, threading\nthreading.Timer({seconds}, lambda: os._exit(1)).start()\n"
    return files | {"web.py": dies + files["web.py"]}


class WorkTree:
    """A clone on the developer's side."""

    def __init__(self, platform, directory, repo):
        self.platform, self.directory, self.repo = platform, directory, repo

    def git(self, *args, **options):
        """Runs git in it; options as for run_command()."""
        return self.platform.git(*args, cwd=self.directory, **options)

    def write(self, files):
        """Writes files: name → text, bytes, or None to delete it. A name that ends in ".sh" becomes executable."""
        for name, content in files.items():
            path = self.directory / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            if name.endswith(".sh"):
                path.chmod(0o755)

    def commit(self, files=(), message="a change"):
        """Writes files, commits everything (even nothing) and returns the commit's id."""
        self.write(dict(files))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.head()

    def head(self):
        """The id of the commit that is checked out."""
        return self.git("rev-parse", "HEAD").out.strip()

    def push(self, *refspecs, options=(), code=0, arguments=()):
        """git push over SSH. Without refspecs: HEAD to the branch main. `options` are push options."""
        return self.finish_push(self.start_push(*refspecs, options=options, arguments=arguments), code=code)

    def start_push(self, *refspecs, options=(), arguments=()):
        """The same, going on beside the test; see finish_push()."""
        words = [word for option in options for word in ("-o", option)]
        words += [*arguments, "origin", *(refspecs or ["HEAD:refs/heads/main"])]
        return self.platform.start_client(["git", "push", *words], env=self.platform.client_env, cwd=self.directory)

    def finish_push(self, process, code=0):
        """Waits for the end of start_push()."""
        return finish(process, code=code)


class App:
    """An app of a platform, with a clone of its repo."""

    def __init__(self, platform, name, work, branch="main"):
        self.platform, self.name, self.work, self.branch = platform, name, work, branch

    @property
    def host(self):
        """The host name that it answers under."""
        return f"{self.name}.localhost"

    def push(self, files=(), code=0, **options):
        """Commits the files and pushes them to the app's branch. Returns the Result of git push."""
        self.work.commit(files)
        return self.work.push(f"HEAD:refs/heads/{self.branch}", code=code, **options)

    def start_push(self, files=()):
        """The same, going on beside the test: end it with finish(process)."""
        self.work.commit(files)
        return self.work.start_push(f"HEAD:refs/heads/{self.branch}")

    def get(self, path="/", status=200, **options):
        """GETs a path through the router; the answer must have this status."""
        response = self.platform.http(self.host, path, **options)
        assert response.status == status, f"GET {path} of {self.name}: {response.status} {response.text!r}"
        return response

    def crash(self):
        """Has the test app end at once. Whoever asked for that may get no answer (docs/decisions/0096)."""
        with contextlib.suppress(http.client.RemoteDisconnected):
            self.platform.http(self.host, "/crash")

    def version(self):
        """What it answers at /."""
        return self.get().text

    def ref(self):
        """The commit of its branch in Pushrod's repo; None if the branch is not there."""
        result = self.platform.git(
            "-C", self.platform.root / "repos" / f"{self.work.repo}.git", "rev-parse", "--verify", "--quiet",
            f"refs/heads/{self.branch}", code=None,
        )  # fmt: skip
        return result.out.strip() or None

    def processes(self):
        """`ps --json` of it."""
        return self.platform.json("ps", self.name)

    def instances(self, *states):
        """The names of its instances, sorted; only those in one of these states if any are given."""
        return sorted(p["instance"] for p in self.processes() if not states or p["state"] in states)

    def deployments(self):
        """`deployments --json` of it, the newest first."""
        return self.platform.json("deployments", self.name)

    def last_deployment(self):
        """The newest of them."""
        return self.deployments()[0]

    def checkouts(self):
        """The release numbers under checkouts/ (I4: two at most)."""
        return numbers_in(self.platform.root / "checkouts" / self.name)

    def releases(self):
        """The release numbers that are kept under releases/."""
        return numbers_in(self.platform.root / "releases" / self.name)

    @property
    def data(self):
        """Its /data."""
        return self.platform.root / "data" / self.name

    @property
    def build_cache(self):
        """Its /cache while it builds."""
        return self.platform.root / "cache" / self.name / "build"

    def quick_deaths(self):
        """How often in a row its first instance has ended quickly, and until when (in milliseconds of the monotonic
        clock) it is held back for that."""
        directory = self.platform.service_directory(self.processes()[0]["instance"])
        try:
            words = (directory / "backoff").read_text().split()
        except FileNotFoundError:
            words = []
        return tuple(map(int, words)) if len(words) == 2 else (0, 0)

    def traces(self):
        """All that has its name under the root, but for locks, which stay."""
        tree = os.walk(self.platform.root)  # goes on where the daemon deletes meanwhile
        paths = (Path(place) / name for place, directories, files in tree for name in directories + files if self.name in name)
        return [path for path in paths if "locks" not in path.parts]

    def await_no_traces(self):
        """The daemon deletes what a destroyed app leaves behind in the trash."""
        assert not [path for path in self.traces() if "trash" not in path.parts]
        wait_until(lambda: not self.traces(), 60, f"the deletion of {self.name}'s files")

    def await_build(self):
        """Waits until a build with HELD_BUILD has begun."""
        wait_until((self.build_cache / "begun").exists, what=f"the build of {self.name}")

    def release_build(self):
        """Lets builds with HELD_BUILD go on, also later ones."""
        self.build_cache.mkdir(parents=True, exist_ok=True)
        (self.build_cache / "go").touch()

    def hold_build(self):
        """Holds later builds with HELD_BUILD again."""
        (self.build_cache / "go").unlink(missing_ok=True)

    def await_settled(self):
        """Waits until old instances are gone: what is left serves, and there is at most one checkout."""
        wait_until(
            lambda: all(p["state"] == "running" for p in self.processes()) and len(self.checkouts()) <= 1,
            what=f"{self.name} to settle",
        )


def numbers_in(directory):
    """The names in a directory that are numbers; the empty list if there is no directory."""
    names = os.listdir(directory) if directory.is_dir() else []
    return sorted(int(name) for name in names if name.isdecimal())
