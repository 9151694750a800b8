// How a Python app without a Procfile is served, and what is installed from the lock files of uv, Poetry and PDM.
#include "build/python_web.hh"

#include "builder_fixture.hh"

namespace pushrod {
namespace {

namespace fs = std::filesystem;

class PythonWebTest : public BuilderTest {
 protected:
  std::string web() {
    const auto planned = plan();
    return planned.guessed_web ? planned.guessed_web->command : "none " + planned.looked_for;
  }
};

TEST_F(PythonWebTest, FlaskIsServedByGunicornOrWaitress) {
  tree.write("app.py", "from flask import Flask\n\napp = Flask(__name__)\n");
  tree.write("requirements.txt", "flask==3.0\nGunicorn[gevent] == 23.0\n");
  EXPECT_EQ(web(), "gunicorn --bind 127.0.0.1:$PORT app:app");
  tree.write("requirements.txt", "flask==3.0\nwaitress==3.0\n");
  EXPECT_EQ(web(), "waitress-serve --listen=127.0.0.1:$PORT app:app");
  tree.write("base.txt", "gunicorn==23\n");
  tree.write("requirements.txt", "-r base.txt\n");
  EXPECT_EQ(web(), "gunicorn --bind 127.0.0.1:$PORT app:app");
}

TEST_F(PythonWebTest, WithoutAServerThePushSaysWhatToAdd) {
  tree.write("app.py", "from flask import Flask\n\napp = Flask(__name__)\n");
  tree.write("requirements.txt", "flask==3.0\n");
  EXPECT_EQ(refusal<UserError>([&] { choose_processes(plan(), {}); }),
            "the app does not say what to run: there is no Procfile, no [processes] in pushrod.toml, and "
            "requirements.txt has no server for the Flask app in app.py (gunicorn, waitress) | add gunicorn to "
            "requirements.txt; it then runs \"gunicorn --bind 127.0.0.1:$PORT app:app\"; or commit a Procfile");
}

TEST_F(PythonWebTest, TheApplicationIsFoundWhereItIsUsuallyMade) {
  tree.write("requirements.txt", "flask\ngunicorn\nfastapi[standard]\n");
  const struct {
    const char* file;
    const char* code;
    const char* target;
  } kApps[] = {
      {"main.py", "import flask\nsite: flask.Flask = flask.Flask(__name__)\n",
       "gunicorn --bind 127.0.0.1:$PORT main:site"},
      {"microblog.py", "from app import create_app\napp = create_app()\n@app.shell\n",
       "uvicorn --host 127.0.0.1 --port $PORT microblog:app"},
      {"shop/__init__.py", "from flask import Flask\ndef create_app(test_config=None):\n    app = Flask(__name__)\n",
       "gunicorn --bind 127.0.0.1:$PORT 'shop:create_app()'"},
      {"app/main.py", "app = FastAPI(title='x')\n", "uvicorn --host 127.0.0.1 --port $PORT app.main:app"},
      {"src/api/main.py", "app = FastAPI(\n    title='x')\n", "uvicorn --host 127.0.0.1 --port $PORT api.main:app"},
      {"dash_app.py", "app = Dash(__name__)\nserver = app.server\n", "gunicorn --bind 127.0.0.1:$PORT dash_app:server"},
  };
  for (const auto& app : kApps) {
    tree.write(app.file, app.code);
    EXPECT_EQ(web(), app.target) << app.file;
    EXPECT_EQ(plan().environment.contains("PYTHONPATH"), std::string(app.file).starts_with("src/")) << app.file;
    fs::remove(tree.path() / app.file);
  }
  for (const char* code : {"def create_app(config):\n    return Flask(__name__)\n", "    app = Flask(__name__)\n",
                           "print('x')\n", "app = Flask\n", "x == FastAPI()\n"}) {
    tree.write("app.py", code);
    EXPECT_EQ(web(), "none ") << code;
  }
  tree.link("app.py2", "/etc/passwd");
  fs::remove(tree.path() / "app.py");
  tree.link("app.py", "/etc/passwd");
  EXPECT_EQ(web(), "none ");
}

TEST_F(PythonWebTest, DjangoIsServedFromTheModuleBesideItsSettings) {
  tree.write("manage.py", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings.local')\n");
  tree.write("config/wsgi.py", "application = get_wsgi_application()\n");
  tree.write("config/asgi.py", "application = get_asgi_application()\n");
  tree.write("requirements.txt", "django==4\ngunicorn==23\nuvicorn==0.3\n");
  EXPECT_EQ(web(), "gunicorn --bind 127.0.0.1:$PORT config.wsgi:application");
  tree.write("requirements.txt", "django==4\nuvicorn==0.3\n");
  EXPECT_EQ(web(), "uvicorn --host 127.0.0.1 --port $PORT config.asgi:application");
  tree.write("requirements.txt", "django==4\nchannels[daphne]\ndaphne\ngunicorn\n");
  EXPECT_EQ(web(), "daphne -b 127.0.0.1 -p $PORT config.asgi:application");
}

TEST_F(PythonWebTest, DjangoInADirectoryBelowIsFoundIfItIsTheOnlyOne) {
  tree.write("requirements.txt", "django==4\ngunicorn==23\n");
  tree.write("mysite/manage.py", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n");
  tree.write("mysite/shop/settings.py", "STATIC_ROOT = 'x'\n");
  tree.write("mysite/shop/wsgi.py", "application = get_wsgi_application()\n");
  EXPECT_EQ(web(), "gunicorn --bind 127.0.0.1:$PORT shop.wsgi:application");
  EXPECT_EQ(plan().environment.at("PYTHONPATH"), "/app/mysite");
  ASSERT_EQ(plan().steps.size(), 1U);
  EXPECT_EQ(plan().steps[0].directory, "/app/mysite");
  tree.write("other/manage.py", "");
  EXPECT_EQ(web(), "none ");
}

TEST_F(PythonWebTest, AUvLockIsInstalledAsItSays) {
  tree.write("pyproject.toml", "[project]\nname = 'shop'\nversion = '1'\ndependencies = ['flask', 'gunicorn']\n");
  tree.write("app.py", "app = Flask(__name__)\n");
  const auto lock = [](const std::string& dependencies) {
    return "[[package]]\nname = 'shop'\nsource = { virtual = '.' }\ndependencies = [" + dependencies + R"(]
[[package]]
name = 'flask'
version = '3.0.3'
source = { registry = 'https://pypi.org/simple' }
wheels = [{ url = 'https://x/flask-3.0.3-py3-none-any.whl', hash = 'sha256:34e8' }]
[[package]]
name = 'gunicorn'
version = '23.0.0'
source = { registry = 'https://pypi.org/simple' }
wheels = [{ url = 'https://x/gunicorn-23.0.0-cp311-cp311-win_amd64.whl', hash = 'sha256:1' },
          { url = 'https://x/gunicorn-23.0.0-cp312-cp312-manylinux_2_17_x86_64.whl', hash = 'sha256:2' },
          { url = 'https://x/gunicorn-23.0.0-cp38-abi3-linux_x86_64.linux_aarch64.whl', hash = 'sha256:3' },
          { url = 'https://x/gunicorn-23.0.0-py3-none-any.whl', hash = 'sha256:4' }]
)";
  };
  tree.write("uv.lock", lock("{ name = 'flask' }, { name = 'gunicorn' }"));
  const auto planned = plan();
  EXPECT_EQ(planned.description, "Python 3.11, pip from uv.lock");
  EXPECT_TRUE(planned.notices.front().starts_with("no Procfile")) << join(planned.notices, "\n");
  ASSERT_EQ(planned.layers.size(), 1U);
  EXPECT_TRUE(planned.layers[0].files.empty());
  const auto steps = script(planned.layers[0].steps);
  EXPECT_NE(steps.find("printf '%s\\n' 'flask==3.0.3 --hash=sha256:34e8' 'gunicorn==23.0.0 "), steps.npos) << steps;
  EXPECT_EQ(steps.find("sha256:1"), steps.npos) << "a wheel for another system";
  EXPECT_EQ(steps.find("sha256:2"), steps.npos) << "a wheel for another Python";
  EXPECT_NE(steps.find("--hash=sha256:4' > /tmp/requirements.txt"), steps.npos) << steps;
  EXPECT_NE(steps.find("--no-deps -r /tmp/requirements.txt"), steps.npos) << steps;
  EXPECT_EQ(web(), "gunicorn --bind 127.0.0.1:$PORT app:app");

  tree.write("uv.lock", lock("{ name = 'flask' }"));
  EXPECT_EQ(refused(),
            "uv.lock does not have gunicorn, which pyproject.toml asks for | run uv lock, and commit uv.lock");
  tree.write("uv.lock", "= 1");
  EXPECT_TRUE(refused().starts_with("uv.lock:1: ")) << refused();
}

TEST_F(PythonWebTest, ALockBesideAPackageJsonIsAChoice) {
  tree.write("package.json", "{}");
  tree.write("pdm.lock", "");
  EXPECT_TRUE(refused().starts_with("both pdm.lock and package.json are there")) << refused();
  AppManifest both;
  both.builders = {"node", "python"};
  EXPECT_EQ(plan(both).builder, "node+python");
  fs::remove(tree.path() / "pdm.lock");
  tree.write("pyproject.toml", "[project]\nname = 'x'\ndependencies = ['flask']\n");
  EXPECT_EQ(plan().builder, "node");
  EXPECT_EQ(plan(both).builder, "node+python");
}

TEST_F(PythonWebTest, ProgramsOfTheAppItselfAreInstalled) {
  tree.write("pyproject.toml", "[project]\nname = 'x'\nscripts = { shop = 'x:main' }\n[build-system]\nrequires = []\n");
  tree.write("pdm.lock", "");
  EXPECT_NE(script(plan()).find("install --no-input --disable-pip-version-check -q --no-deps -e ."), std::string::npos)
      << script(plan());
}

}  // namespace
}  // namespace pushrod
