"""git fetch and clone: what branches and tags reach, and nothing else."""

import pytest
from harness import web_app


def make_removed_commit(app):
    """Pushes a commit with a secret, then takes it off the branch; its id, and that of its secret file."""
    work = app.work
    first = work.head()
    app.push({"secret.txt": "hunter2\n"})
    removed, blob = work.head(), work.git("rev-parse", "HEAD:secret.txt").out.strip()
    work.git("reset", "--quiet", "--hard", first)
    work.commit({"VERSION": "without the secret"})
    work.push("+HEAD:refs/heads/main")
    return removed, blob



@pytest.mark.parametrize("protocol", ["0", "1", "2"])
def test_a_commit_that_a_forced_push_removed_cannot_be_fetched(platform, tmp_path, protocol):
    app = platform.deploy(web_app("1"))
    removed, blob = make_removed_commit(app)
    clone = tmp_path / "clone"
    platform.git("clone", "--quiet", platform.url(app.work.repo), clone)
    for secret in (removed, blob):
        result = platform.git("-C", clone, "-c", f"protocol.version={protocol}", "fetch", "origin", secret, code=None)
        assert result.code != 0, result
        assert "not our ref" in result.err or "unadvertised object" in result.err, result.err
        assert platform.git("-C", clone, "cat-file", "-e", secret, code=None).code != 0
    # Asked without a client that is polite enough to look at what is offered.
    request = f"want {removed} side-band-64k ofs-delta\n"
    packets = f"{len(request) + 4:04x}{request}00000009done\n"
    result = platform.ssh(f"git-upload-pack '{app.work.repo}'", input=packets, code=None)
    assert "not our ref" in result.out + result.err and "PACK" not in result.out, result


def test_clones_fetches_and_shallow_clones_work(platform, tmp_path):
    app = platform.deploy(web_app("1"))
    app.push({"VERSION": "2\n"})
    for protocol in ("0", "2"):
        for words in ([], ["--depth", "1"], ["--filter", "blob:none"], ["--single-branch", "--branch", "main"]):
            clone = tmp_path / f"{protocol}{''.join(words).replace('/', '')}"
            git = ["-c", f"protocol.version={protocol}"]
            platform.git(*git, "clone", "--quiet", *words, platform.url(app.work.repo), clone)
            assert (clone / "VERSION").read_text() == "2\n"
            assert platform.git("-C", clone, "rev-list", "--count", "HEAD").out.strip() == ("1" if "--depth" in words else "2")
            if "--depth" in words:
                platform.git("-C", clone, *git, "fetch", "--quiet", "--unshallow")
                assert platform.git("-C", clone, "rev-list", "--count", "HEAD").out.strip() == "2"
    app.push({"VERSION": "3\n"})
    platform.git("-C", clone, "pull", "--quiet")
    assert (clone / "VERSION").read_text() == "3\n"
    # What a branch names can be asked for by its id, as some CI systems do.
    platform.git("-C", clone, "fetch", "--quiet", "origin", app.work.head())
