"""Real applications with the libraries that people use, one for each type of service: pushed, migrated, written to,
destroyed.

script/test --languages installs the libraries and runs these tests.
"""

import importlib.util

import pytest
from harness import wait_until
from test_services import KEEPING, kill_servers, service, services  # noqa: F401 (a fixture)


def needs(**packages):
    """Fails unless these modules are there, as module=package."""
    missing = [package for module, package in packages.items() if importlib.util.find_spec(module) is None]
    assert not missing, f"a library cannot be tested here: apt-get install {' '.join(missing)}"


SETTINGS = """
import os
from urllib.parse import parse_qs, unquote, urlsplit

SECRET_KEY, DEBUG, ALLOWED_HOSTS, ROOT_URLCONF = "x", False, ["*"], "shop"
INSTALLED_APPS, DEFAULT_AUTO_FIELD = ["notes"], "django.db.models.AutoField"
url = urlsplit(os.environ["DATABASE_URL"])  # as dj-database-url reads it
query = {name: values[0] for name, values in parse_qs(url.query).items()}
DATABASES = {"default": {
    "ENGINE": "django.db.backends." + {"postgresql": "postgresql", "mysql": "mysql"}[url.scheme], "NAME": url.path[1:],
    "USER": url.username, "PASSWORD": url.password, "HOST": url.hostname or query.pop("host", ""), "OPTIONS": query}}
"""

# One app of Django with a model, a migration and a page. The page writes a note and answers with all of them.
DJANGO = {
    "settings.py": SETTINGS,
    "manage.py": "import os, sys\nos.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\n"
    "from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n",
    "shop.py": "from django.http import HttpResponse\nfrom django.urls import path\nfrom notes.models import Note\n"
    "def page(request, text):\n    Note.objects.create(text=text)\n"
    "    return HttpResponse(' '.join(note.text for note in Note.objects.order_by('id')))\n"
    "urlpatterns = [path('', lambda request: HttpResponse('up')), path('add/<text>', page)]\n",
    "notes/__init__.py": "",
    "notes/models.py": "from django.db import models\nclass Note(models.Model):\n    text = models.TextField()\n",
    "notes/migrations/__init__.py": "",
    "notes/migrations/0001_initial.py": "from django.db import migrations, models\n"
    "class Migration(migrations.Migration):\n    initial = True\n    operations = [migrations.CreateModel('Note',"
    " [('id', models.AutoField(primary_key=True)), ('text', models.TextField())])]\n",
    "web.py": "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\n"
    "from wsgiref.simple_server import make_server\nfrom django.core.wsgi import get_wsgi_application\n"
    "make_server('127.0.0.1', int(os.environ['PORT']), get_wsgi_application()).serve_forever()\n",
}

SQLALCHEMY = {
    "notes.py": """
import os
from sqlalchemy import Column, Integer, String, create_engine
from sqlalchemy.orm import Session, declarative_base

engine = create_engine(os.environ["DATABASE_URL"].replace("mysql://", "mysql+pymysql://"), pool_pre_ping=True)
Base = declarative_base()

class Note(Base):
    __tablename__ = "notes"
    id = Column(Integer, primary_key=True)
    text = Column(String(100))
""",
    "migrate.py": "from notes import Base, engine\nBase.metadata.create_all(engine)\n",
    "add.py": """
from notes import Note, Session, engine

def add(text):
    with Session(engine) as session:
        session.add(Note(text=text))
        session.commit()
        return " ".join(note.text for note in session.query(Note).order_by(Note.id))
""",
}

REDIS = {
    "add.py": """
import os, redis
client = redis.Redis.from_url(os.environ["REDIS_URL"])

def add(text):
    client.rpush("notes", text)
    return " ".join(note.decode() for note in client.lrange("notes", 0, -1))
""",
}

MEMCACHED = {
    "add.py": """
import os
from pymemcache.client.base import Client
client = Client(os.environ["MEMCACHED_URL"])

def add(text):
    notes = (client.get("notes") or b"").decode().split() + [text]
    client.set("notes", " ".join(notes), noreply=False)
    return " ".join(notes)
""",
}

SERVER = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from add import add

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        text = self.path.removeprefix("/add/") if self.path.startswith("/add/") else None
        body = (add(text) if text else "up").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

APPS = {
    "postgres": (DJANGO, "python3 manage.py migrate --noinput", {"django": "python3-django", "psycopg2": "python3-psycopg2"}),
    "mariadb": (SQLALCHEMY, "python3 migrate.py", {"sqlalchemy": "python3-sqlalchemy", "pymysql": "python3-pymysql"}),
    "redis": (REDIS, None, {"redis": "python3-redis"}),
    "memcached": (MEMCACHED, None, {"pymemcache": "python3-pymemcache"}),
}


@pytest.mark.parametrize("kind", APPS)
def test_an_application_has_its_service_after_one_push_and_keeps_its_data(services, kind):  # noqa: F811
    platform = services
    files, migrate, packages = APPS[kind]
    needs(**packages)
    manifest = f'[services]\ndb = "{kind}"\n'
    if migrate:
        manifest += f'[release]\ncommand = "{migrate}"\n'
    files = {"web.py": SERVER, **files, "Procfile": "web: python3 web.py\n", "pushrod.toml": manifest}
    app = platform.create_app(files)
    assert f"Creating service {app.name}-db" in app.work.push(f"HEAD:refs/heads/{app.branch}").err
    name = f"{app.name}-db"
    assert app.get("/add/one").text == "one"
    # A push and a restart of the server later, it is still there.
    app.push({"VERSION": "2"})
    assert app.get("/add/two").text == "one two"
    kill_servers(platform, kind)
    wait_until(lambda: platform.http(app.host, "/add/three").status == 200, 60, "the app to go on")
    kept = app.get("/add/four").text.split()
    assert kept[-1] == "four"
    if kind in KEEPING:
        assert kept[:3] == ["one", "two", "three"] and kept.count("three") >= 1
        platform.pushrod("service", "credentials", name, "--rotate")
        assert app.get("/add/five").text.split()[-3:] == ["three", "four", "five"]
    assert "detach it first" in platform.pushrod("service", "destroy", name, "--yes", code=1).err
    platform.pushrod("app", "destroy", app.name, "--yes")
    wait_until(lambda: service(platform, name)["apps"] == [], 60, "the account to be closed")
    platform.pushrod("service", "destroy", name, "--yes")
    assert service(platform, name) is None
