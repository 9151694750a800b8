"""One example of every language, as it lies in examples/: pushed, changed by a line, pushed again.

script/test --languages installs the tools and runs these tests. A language whose tools are missing is a failure.
"""

import functools
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from harness import wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
PATH = "/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin"


def needs(**packages):
    """Fails unless these programs are there. A program is given as name=package, with "_" for "-"."""
    missing = [package for name, package in packages.items() if not shutil.which(name.replace("_", "-"), path=PATH)]
    assert not missing, f"a language cannot be tested here: apt-get install {' '.join(missing)}"


def example(name):
    """The files of an example, for create_app(). None of them is a program."""
    root = EXAMPLES / name
    return {str(file.relative_to(root)): file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


def push_example(platform, name):
    """The app, deployed, and what the push printed."""
    app = platform.create_app(example(name))
    return app, app.work.push().err


def change(app, file, old, new):
    """Replaces a text in a file, pushes it, and returns what the push printed."""
    text = (app.work.directory / file).read_text()
    assert old in text
    return app.push({file: text.replace(old, new)}).err


DEBIAN_PYTHON = Path("/usr/lib/python3/dist-packages")


def debian_wheel(name, modules):
    """A wheel of a package as Debian installs it, without what it depends on. Returns its file name and its bytes."""
    named = lambda path: path.name.lower().startswith(name.lower() + "-")  # noqa: E731
    [about] = [each for each in DEBIAN_PYTHON.glob("*.*-info") if named(each)]
    version = about.stem.split("-")[1]
    data, info = io.BytesIO(), f"{name}-{version}.dist-info"
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for module in modules:
            root = DEBIAN_PYTHON / module
            for file in [root] if root.is_file() else sorted(root.rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    archive.writestr(str(file.relative_to(DEBIAN_PYTHON)), file.read_bytes())
        if (about / "entry_points.txt").exists():
            archive.writestr(f"{info}/entry_points.txt", (about / "entry_points.txt").read_bytes())
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{name}-{version}-py3-none-any.whl", data.getvalue()


@pytest.fixture
def python_platform(make_platform, tmp_path):
    """A function: a platform whose pip finds these packages, in Debian's versions, on an index; and those versions, as
    lines of a requirements.txt."""
    servers = []

    def make(**packages):
        root, lines = tmp_path / "index", []
        for name, modules in packages.items():
            if not (DEBIAN_PYTHON / modules[0]).exists():
                continue  # a dependency in one Debian only
            file, data = debian_wheel(name, modules)
            directory = root / "simple" / name.lower()
            directory.mkdir(parents=True)
            (directory / file).write_bytes(data)
            (directory / "index.html").write_text(f'<a href="{file}#sha256={hashlib.sha256(data).hexdigest()}">{file}</a>')
            lines.append("==".join(file.split("-")[:2]) + "\n")
        handler = functools.partial(SimpleHTTPRequestHandler, directory=str(root))
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        index = f"http://127.0.0.1:{servers[-1].server_port}/simple/"
        return make_platform(settings=f'[build.environment]\nPIP_INDEX_URL = "{index}"\n').start(), "".join(lines)

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


FLASK = {"Flask": ["flask"], "Jinja2": ["jinja2"], "MarkupSafe": ["markupsafe"], "Werkzeug": ["werkzeug"],
         "click": ["click"], "itsdangerous": ["itsdangerous"], "blinker": ["blinker"]}  # fmt: skip
GUNICORN = {"gunicorn": ["gunicorn"], "setuptools": ["pkg_resources", "setuptools"]}


def test_flask(python_platform):
    needs(flask="python3-flask", gunicorn="python3-gunicorn")
    platform, requirements = python_platform(**FLASK, **GUNICORN)
    files = example("flask") | {"requirements.txt": requirements}
    app = platform.create_app(files)
    output = app.work.push().err
    assert 'web runs "gunicorn --bind 127.0.0.1:$PORT app:app"' in output and "Installing packages" in output
    assert app.version() == "Hello from Flask\n"
    assert "Packages: unchanged" in change(app, "app.py", "Hello from Flask", "Hello again")
    assert app.version() == "Hello again\n"
    # Without the server among the packages, the push says what to add.
    without = "".join(line for line in requirements.splitlines(True) if "gunicorn" not in line)
    assert "add gunicorn to requirements.txt" in app.push({"requirements.txt": without}, code=1).err


def test_django(python_platform, tmp_path):
    needs(django_admin="python3-django", gunicorn="python3-gunicorn")
    django = {"Django": ["django"], "asgiref": ["asgiref"], "sqlparse": ["sqlparse"], "pytz": ["pytz"]}
    platform, requirements = python_platform(**django, **GUNICORN)
    subprocess.run(["django-admin", "startproject", "shop", tmp_path], check=True)
    files = {str(file.relative_to(tmp_path)): file.read_bytes() for file in tmp_path.glob("**/*.py")}
    files["shop/settings.py"] += b"\nALLOWED_HOSTS = ['*']\nSTATIC_ROOT = BASE_DIR / 'static'\n"
    app = platform.create_app(files | {"requirements.txt": requirements})
    output = app.work.push().err
    assert 'web runs "gunicorn --bind 127.0.0.1:$PORT shop.wsgi:application"' in output
    assert "static files copied" in output
    assert "The install worked successfully" in app.get().text


def test_starlette(python_platform):
    needs(uvicorn="python3-uvicorn")
    platform, requirements = python_platform(
        starlette=["starlette"], uvicorn=["uvicorn"], anyio=["anyio"], sniffio=["sniffio"], idna=["idna"], h11=["h11"], asgiref=["asgiref"],
        click=["click"],
    )  # fmt: skip
    code = (
        "from starlette.applications import Starlette\nfrom starlette.responses import PlainTextResponse\n"
        "from starlette.routing import Route\n\nasync def home(request):\n    return PlainTextResponse('async')\n\n"
        "app = Starlette(routes=[Route('/', home)])\n"
    )
    app = platform.create_app({"src/web/main.py": code, "requirements.txt": requirements})
    assert 'web runs "uvicorn --host 127.0.0.1 --port $PORT web.main:app"' in app.work.push().err
    assert app.get().text == "async"


def test_static(platform):
    needs(nginx="nginx-light")
    app, output = push_example(platform, "static")
    assert "static files, index.html, served by nginx" in output
    page = app.get()
    assert "Hello from static files" in page.text and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "About this page" in app.get("/about").text
    assert "There is no such page" in app.get("/nowhere", status=404).text
    assert "There is no such page" in app.get("/nowhere.png", status=404).text

    tag = page.headers["ETag"]
    assert app.get(headers={"If-None-Match": tag}, status=304).text == ""
    part = app.get("/style.css", headers={"Range": "bytes=0-3"}, status=206)
    assert part.text == "body" and part.headers["Content-Type"] == "text/css; charset=utf-8"
    assert app.get("/", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"

    change(app, "index.html", "Hello from static files", "Hello again")
    assert "Hello again" in app.get().text
    assert platform.json("app", "info", app.name)["builder"] == "static"


def test_a_directory_is_served_as_files(platform):
    needs(nginx="nginx-light")
    toml = '[processes.web]\nstatic = "site/public"\n[http.headers]\nCache-Control = "max-age=60"\n'
    files = {"site/public/index.html": "home", "site/public/a.css": "b{}" * 500, "other.txt": "no", "pushrod.toml": toml}
    app = platform.deploy(files | {"site/public/404.html": "lost", "app.py": "print('not run')"})
    assert app.version() == "home"
    css = app.get("/a.css", headers={"Range": "bytes=0-2"}, status=206)
    assert css.text == "b{}" and css.headers["ETag"] and css.headers["Cache-Control"] == "max-age=60"
    assert app.get("/a.css", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    assert app.get("/other.txt", status=404).text == "lost"


def test_static_keeps_what_is_not_for_visitors(platform):
    needs(nginx="nginx-light")
    files = {"index.html": "home", ".env": "SECRET=1", "app.json": "{}", "docs/index.html": "docs", "docs/.x/y": "hidden",
             ".well-known/security.txt": "mailto:x", "v1.0/index.html": "old", "empty/file.txt": "x"}  # fmt: skip
    app = platform.deploy(files)
    for path in ("/.env", "/app.json", "/docs/.x/y", "/empty/", "/nowhere"):
        app.get(path, status=404)
    assert app.get("/.well-known/security.txt").text == "mailto:x"
    # Without the port of the server behind the router.
    assert app.get("/docs", status=301).headers["Location"] == "/docs/"
    assert app.get("/v1.0", status=301).headers["Location"] == "/v1.0/"


def test_a_single_page_is_served_for_every_address(platform):
    needs(nginx="nginx-light")
    app = platform.create_app({"public/index.html": "the page", "public/app.js": "1", "secret.txt": "x"})
    assert "it is served for every address without a file" in app.work.push().err
    assert app.get("/users/7").text == "the page"
    app.get("/missing.js", status=404)
    app.get("/secret.txt", status=404)
    app.push({"public/404.html": "not here"})
    assert app.get("/users/7", status=404).text == "not here"


def test_the_output_of_a_front_end_is_served(platform):
    needs(nginx="nginx-light", npm="npm")
    build = "mkdir -p dist && echo the front end > dist/index.html"
    package = {"name": "front", "scripts": {"build": build}, "dependencies": {"vite": "file:./vite"}}
    files = {"package.json": json.dumps(package), "vite/package.json": '{"name": "vite", "version": "1.0.0"}'}
    app = platform.create_app(files)
    assert "dist/ is served by nginx" in app.work.push().err
    assert app.get("/any/route").text == "the front end\n"


def test_go(platform):
    needs(go="golang-go")
    app, output = push_example(platform, "go")
    assert "Go, go.mod, go build -o bin/hello ." in output
    assert app.version() == "Hello from Go\n"
    change(app, "main.go", "Hello from Go", "Hello again")
    assert app.version() == "Hello again\n"


def test_go_takes_modules_from_vendor_and_programs_from_cmd(platform):
    needs(go="golang-go")
    main = example("go")["main.go"].decode()
    app = platform.create_app({
        "go.mod": "module example.com/shop\n\ngo 1.19\n\nrequire example.com/greet v1.0.0\n",
        "vendor/modules.txt": "# example.com/greet v1.0.0\n## explicit; go 1.19\nexample.com/greet\n",
        "vendor/example.com/greet/greet.go": 'package greet\n\nconst Word = "from a vendored module"\n',
        "cmd/server/main.go": main.replace('"fmt"', '"example.com/greet"\n\t"fmt"').replace('"Hello from Go"', "greet.Word"),
        "cmd/task/main.go": "package main\n\nfunc main() {}\n",
    })  # fmt: skip
    app.work.push()
    assert app.version() == "from a vendored module\n"
    platform.pushrod("run", app.name, "--", "bin/task")


def test_go_builds_the_programs_of_a_workspace(platform):
    needs(go="golang-go")
    main = example("go")["main.go"].decode()
    app = platform.create_app({
        "go.work": "go 1.19\n\nuse (\n\t./api\n\t./greet // shared\n)\n",
        "greet/go.mod": "module example.com/greet\n\ngo 1.19\n",
        "greet/greet.go": 'package greet\n\nconst Word = "from another module"\n',
        "api/go.mod": "module example.com/api\n\ngo 1.19\n\nrequire example.com/greet v0.0.0\n",
        "api/main.go": main.replace('"fmt"', '"example.com/greet"\n\t"fmt"').replace('"Hello from Go"', "greet.Word"),
    })  # fmt: skip
    assert "Go, go.work, go build ./api/... ./greet/..." in app.work.push().err
    assert app.version() == "from another module\n"


def test_php(platform):
    needs(php="php-cli", composer="composer", nginx="nginx-light")
    if not list(Path("/usr/sbin").glob("php-fpm*")):
        needs(php_fpm="php-fpm")
    app, output = push_example(platform, "php")
    assert "served by php-fpm and nginx from public/" in output
    assert app.get("/users/7?a=b").text == "Hello from PHP\nGET /users/7?a=b\n"
    assert app.get("/index.php").text.startswith("Hello from PHP")
    assert app.get("/robots.txt").headers["Content-Type"].startswith("text/plain")
    change(app, "src/Greeting.php", "Hello from", "Hello again from")
    assert app.get().text.startswith("Hello again from PHP")
    # Extensions come from Debian's configuration, and settings from the app's.
    platform.pushrod("config", "set", app.name, "WORD=swordfish")
    code = "<?php echo getenv('WORD'), extension_loaded('tokenizer') ? ' loaded' : '', ' ', $_SERVER['HTTPS'] ?? 'http';"
    app.push({"public/index.php": code})
    assert app.get().text == "swordfish loaded http"


def test_php_without_composer(platform):
    needs(php="php-cli", nginx="nginx-light")
    if not list(Path("/usr/sbin").glob("php-fpm*")):
        needs(php_fpm="php-fpm")
    app = platform.deploy({"index.php": "<?php echo 'plain ', $_POST['a'] ?? 'PHP';", "inc/x.php": "<?php echo 'x';"})
    assert app.version() == "plain PHP"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert app.get(method="POST", headers=form, body="a=form").text == "plain form"
    app.get("/missing.php", status=404)


def test_rust(platform):
    needs(cargo="cargo", cc="gcc")
    app, output = push_example(platform, "rust")
    assert "Rust, Cargo.toml, cargo build --release --locked" in output
    assert app.version() == "Hello from Rust\n"
    change(app, "src/main.rs", "Hello from Rust", "Hello again")
    assert app.version() == "Hello again\n"


def test_cpp(platform):
    needs(cmake="cmake", make="make", **{"c++": "g++"})
    app, output = push_example(platform, "cpp")
    assert "C and C++, CMakeLists.txt, cmake -B build" in output
    assert app.version() == "Hello from C++\n"
    change(app, "main.cpp", "Hello from C++", "Hello again")
    assert app.version() == "Hello again\n"


def test_a_makefile_with_sources_is_made(platform):
    needs(make="make", gcc="gcc", **{"c++": "g++"})
    app = platform.deploy({
        "Makefile": "all:\n\tgcc -o greet greet.c\n",
        "greet.c": '#include <stdio.h>\nint main(void) { puts("made"); return 0; }\n',
        "Procfile": "web: ./greet > /tmp/index.html; exec python3 -m http.server $PORT --bind 127.0.0.1 -d /tmp\n",
    })  # fmt: skip
    assert app.version() == "made\n"


# From Debian's packages of gems: gems, as a server of gems has them.
MAKE_GEMS = """
require "rubygems/package"
directory = ARGV.shift
ARGV.each do |name|
  spec = Gem::Specification.find_by_name(name)
  Dir.chdir(spec.full_gem_path) do
    made = spec.dup
    made.files = Dir["**/*"].select { |file| File.file?(file) }
    Gem::Package.build(made, true, false, "#{directory}/gems/#{spec.full_name}.gem")
  end
end
"""


@pytest.fixture
def gem_server(tmp_path):
    """The address of a server of the gems rack and webrick."""
    needs(ruby="ruby", bundle="bundler", rackup="ruby-rack")
    root = tmp_path / "server"
    (root / "gems").mkdir(parents=True)
    subprocess.run(["ruby", "-e", MAKE_GEMS, root, "rack", "webrick"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["gem", "generate_index", "--directory", root], check=True, stdout=subprocess.DEVNULL)
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(root))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_ruby(platform, gem_server):
    # The example's gems are at rubygems.org, in the versions of Debian 12.
    files = example("ruby")
    for name in ("Gemfile", "Gemfile.lock"):
        files[name] = files[name].replace(b"https://rubygems.org", gem_server.encode())
    app = platform.create_app(files)
    output = app.work.push().err
    assert "Installing packages (Ruby, Gemfile.lock, bundle install)" in output
    assert app.version() == "Hello from Ruby\n"
    output = change(app, "config.ru", "Hello from Ruby", "Hello again")
    assert "Packages: unchanged (Ruby, Gemfile.lock, bundle install)" in output
    assert app.version() == "Hello again\n"


@pytest.fixture
def maven_repository():
    """The address of Debian's packages of Maven's plugins, as a repository has them."""
    needs(mvn="maven", javac="default-jdk-headless")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory="/usr/share/maven-repo"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_java(platform, maven_repository):
    mirror = f"<mirror><id>debian</id><mirrorOf>*</mirrorOf><url>{maven_repository}</url></mirror>"
    maven = {".mvn/maven.config": "-s\n.mvn/settings.xml\n",
             ".mvn/settings.xml": f"<settings><mirrors>{mirror}</mirrors></settings>"}  # fmt: skip
    app = platform.create_app(example("java") | maven)
    output = app.work.push().err
    assert "Java, pom.xml, mvn package" in output
    assert app.version() == "Hello from Java\n"
    change(app, "src/main/java/hello/Server.java", "Hello from Java", "Hello again")
    assert app.version() == "Hello again\n"


def test_gradle(platform):
    needs(gradle="gradle", javac="default-jdk-headless")
    app, output = push_example(platform, "gradle")
    assert "Java, build.gradle, gradle assemble" in output
    assert app.version() == "Hello from Java\n"
    change(app, "src/main/java/hello/Server.java", "Hello from Java", "Hello again")
    assert app.version() == "Hello again\n"
    # The application plugin brings a start script.
    plugin = "plugins {\n  id 'java'\n  id 'application'\n}\n\nmainClassName = 'hello.Server'\n"
    assert "gradle installDist" in app.push({"build.gradle": plugin}).err
    assert app.version() == "Hello again\n"


def test_clojure(platform):
    needs(lein="leiningen", javac="default-jdk-headless")
    repositories = "^:replace [[\"debian\" {:url \"file:///usr/share/maven-repo\" :checksum :ignore}]]"
    [version] = [path.name for path in Path("/usr/share/maven-repo/org/clojure/clojure").glob("*.*.[0-9]*")]
    files = example("clojure")
    files["project.clj"] = files["project.clj"].replace(b"1.11.1", version.encode())
    files["project.clj"] = files["project.clj"].replace(
        b":main", f":repositories {repositories}\n  :plugin-repositories {repositories}\n  :main".encode())
    app = platform.create_app(files)
    assert "Clojure, project.clj, lein uberjar" in app.work.push().err
    assert app.version() == "Hello from Clojure\n"
    change(app, "src/hello/server.clj", "Hello from Clojure", "Hello again")
    assert app.version() == "Hello again\n"


def test_elixir(platform):
    needs(mix="elixir")
    app, output = push_example(platform, "elixir")
    assert "Elixir, mix.exs, mix release" in output
    assert app.version() == "Hello from Elixir\n"
    change(app, "lib/hello.ex", "Hello from Elixir", "Hello again")
    assert app.version() == "Hello again\n"


def test_an_instance_ends_when_its_php_fpm_does(platform):
    needs(php="php-cli", nginx="nginx-light")
    app = platform.deploy({"index.php": "<?php echo getmypid();"})
    first = app.instances()
    [master] = [process for process in platform.processes("php-fpm: master")]
    os.kill(master.pid, signal.SIGKILL)
    wait_until(lambda: app.processes()[0]["restarts"] > 0, what="another start")
    wait_until(lambda: platform.http(app.host, "/").status == 200, what="PHP")
    assert app.instances() == first
