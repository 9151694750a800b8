"""A CA for tests: Debian's pebble, and the DNS server of pebble-challtestsrv."""

import base64
import http.server
import json
import os
import ssl
import threading
import time
import urllib.request

from .commands import run_command, start_command, wait_until


class CertificateAuthority:
    """Speaks ACME on the loopback, and asks the platform's router. stop() ends it; a new start() has lost all."""

    def __init__(self, platform):
        self.platform = platform
        self.directory = platform.directory / "ca"
        self.directory.mkdir()
        first = platform.ports.others
        self.port, self._management, self._dns, self._dns_management = first, first + 1, first + 2, first + 3
        self.own = self.directory / "api.crt"  # of its own server
        self.roots = self.directory / "roots.pem"  # who has signed what it issues
        self._processes = []
        run_command(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                     "9", "-subj", "/CN=CA", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                     self.directory / "api.key", "-out", self.own], env=platform.client_env)  # fmt: skip

    def serve_dns_provider(self, password):
        """A server that lego's provider `httpreq` sets records with. Returns the server to shut down: `.variables` are the
        credentials for it, `.records` the values that it has set, and while `.fails` it refuses."""
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                given = self.headers["Authorization"]
                is_right = given == "Basic " + base64.b64encode(f"lego:{password}".encode()).decode()
                code = 500 if self.server.fails else 200 if is_right else 401
                if code == 200:
                    action = "set-txt" if self.path == "/present" else "clear-txt"
                    if action == "set-txt":
                        self.server.records.append(body["fqdn"])
                    change = json.dumps({"host": body["fqdn"], "value": body["value"]}).encode()
                    urllib.request.urlopen(f"http://127.0.0.1:{authority._dns_management}/{action}", change).close()
                self.send_response(code)
                self.end_headers()
                self.wfile.write(b"you are " + base64.b64decode(given.split()[1]) if code != 200 else b"")

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.records, server.fails = [], False
        server.variables = (
            f"HTTPREQ_ENDPOINT=http://127.0.0.1:{server.server_port}\nHTTPREQ_USERNAME=lego\n"
            f"HTTPREQ_PASSWORD={password}\nHTTPREQ_POLLING_INTERVAL=1\n"
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def announce_renewals(self, window):
        """Serves a directory that also has renewal information (RFC 9773), which pebble lacks: window(certificate's id)
        returns two points in time, in seconds. Returns a server to shut down; the directory's address is its `.url`."""
        context = ssl.create_default_context(cafile=self.own)
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/dir":
                    with urllib.request.urlopen(f"https://localhost:{authority.port}/dir", context=context) as answer:
                        body = {**json.load(answer), "renewalInfo": f"{self.server.url[:-4]}/renewal"}
                else:
                    start, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) for at in window(self.path.split("/")[-1]))
                    body = {"suggestedWindow": {"start": start, "end": end}}
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.load_cert_chain(self.own, self.directory / "api.key")
        server.socket = own.wrap_socket(server.socket, server_side=True)
        server.url = f"https://localhost:{server.server_port}/dir"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    @property
    def settings(self):
        """For server.toml."""
        return (
            f'[https]\nlisten = "127.0.0.1:{self.platform.ports.https}"\n'
            f'[acme]\nagree_tos = true\nemail = "you@example.com"\n'
            f'directory = "https://localhost:{self.port}/dir"\nca_file = "{self.own}"\n'
            f'dns_resolvers = ["127.0.0.1:{self._dns}"]\n'
        )

    def start(self, lifetime=90 * 24 * 3600):
        """`lifetime` of its certificates, in seconds."""
        config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(self.own),
            "privateKey": str(self.directory / "api.key"),
            "httpPort": self.platform.ports.http,
            "tlsPort": self.platform.ports.https,
            "certificateValidityPeriod": lifetime,
        }
        (self.directory / "pebble.json").write_text(json.dumps({"pebble": config}))
        env = {"PATH": os.environ["PATH"], "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0"}
        log = open(self.directory / "log", "ab")
        dns = ["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", f"127.0.0.1:{self._dns}",
               "-management", f"127.0.0.1:{self._dns_management}", "-http01", "", "-https01", "", "-tlsalpn01", ""]  # fmt: skip
        pebble = ["pebble", "-config", self.directory / "pebble.json", "-dnsserver", f"127.0.0.1:{self._dns}"]
        for argv in (dns, pebble):
            self._processes.append(start_command(argv, env=env, stdout=log, stderr=log))
        log.close()
        for port in (self._dns_management, self.port, self._management):
            wait_until(lambda port=port: self.platform.accepts(port), 20, "the CA")
        context = ssl.create_default_context(cafile=self.own)
        with urllib.request.urlopen(f"https://localhost:{self._management}/roots/0", context=context) as answer:
            self.roots.write_bytes(answer.read())
        return self

    def point(self, host, address):
        """What the CA's DNS says of the host; 127.0.0.1 otherwise."""
        for action in ("clear-a", "add-a"):
            body = json.dumps({"host": f"{host}.", "addresses": [address]}).encode()
            urllib.request.urlopen(f"http://127.0.0.1:{self._dns_management}/{action}", body).close()

    def stop(self):
        """Nobody answers any more."""
        processes, self._processes = self._processes, []
        for process in processes:
            process.kill()
            process.wait()
