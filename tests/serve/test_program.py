"""The program as a service: sockets and notifications of systemd, signals, the access log, notes."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys

from serve import LIMIT, PROGRAM, Serve, fetch, native, token


def bearer() -> dict[str, str]:
    return {"Authorization": f"Bearer {token()}"}


def test_sighup_reloads_and_keeps_an_old_configuration_that_works() -> None:
    config = native()
    with Serve(config) as serve:
        file = serve.folder / "config.json"
        headers = bearer()
        assert fetch(serve.url + "/auth", headers)[0] == 200

        def reload(text: str, note: str) -> None:
            file.write_text(text)
            serve.process.send_signal(signal.SIGHUP)
            serve.notes.wait_for(note)

        reload("{", "the old configuration stays")
        assert fetch(serve.url + "/auth", headers)[0] == 200
        config["config"]["audiences"] = ["other"]
        reload(json.dumps(config), "the configuration was read again")
        assert fetch(serve.url + "/auth", headers)[0] == 401
        assert serve.stop() == 0


def test_the_access_log_has_lines_without_tokens() -> None:
    with Serve(native()) as serve:
        headers = bearer()
        assert fetch(serve.url + "/auth?token=secret", headers)[0] == 200
        assert fetch(serve.url + "/secret", headers)[0] == 404
        assert fetch(serve.url + "/auth", {"Authorization": "Bearer secret"})[0] == 401
        assert serve.stop() == 0
        log = (serve.folder / "log").read_text()
        assert "secret" not in log and headers["Authorization"].split(".")[1] not in log
        lines = [json.loads(line) for line in log.splitlines()]
        of_auth = [(line["status"], line.get("code")) for line in lines if line["endpoint"] == "auth"]
        assert of_auth == [(200, None), (401, "token_malformed")]


def test_sockets_of_systemd_are_used_and_readiness_is_told() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    name = f"\0jwtauth-{os.getpid()}"
    notified.bind(name)
    notified.settimeout(LIMIT)
    with Serve(native()) as other:
        command = [str(PROGRAM), "serve", "--config", str(other.folder / "config.json"), "--store", "memory"]
        # What systemd does: the socket is descriptor 3, and the process knows its own id.
        start = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.set_inheritable(3, True);" \
            "os.environ |= {'LISTEN_FDS': '1', 'LISTEN_PID': str(os.getpid())}; os.execv(sys.argv[2], sys.argv[2:])"
        environment = os.environ | {"NOTIFY_SOCKET": "@" + name[1:]}
        process = subprocess.Popen(
            [sys.executable, "-c", start, str(listener.fileno()), *command],
            env=environment, pass_fds=[listener.fileno()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            assert notified.recv(100) == b"READY=1"
            assert fetch(f"http://127.0.0.1:{port}/auth", bearer())[0] == 200
            process.send_signal(signal.SIGHUP)
            assert notified.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert notified.recv(100) == b"READY=1"
            process.send_signal(signal.SIGTERM)
            assert notified.recv(100) == b"STOPPING=1"
            assert process.wait(LIMIT) == 0
        finally:
            process.kill()
            process.wait(LIMIT)
            listener.close()
            notified.close()


def test_an_invalid_configuration_ends_the_program() -> None:
    with Serve(native()) as serve:
        (serve.folder / "wrong.json").write_text('{"server":{"listn":[]}}')
        done = subprocess.run(
            [str(PROGRAM), "serve", "--config", "wrong.json", "--listen", "127.0.0.1:0"],
            cwd=serve.folder, text=True, capture_output=True,
        )
        assert done.returncode == 2
        assert "listn" in done.stderr


def test_notes_without_a_reader_delay_no_request() -> None:
    # A port of which the system refuses connections: each request finds the store out of reach.
    with socket.create_server(("127.0.0.1", 0)) as closed:
        store = f"redis://127.0.0.1:{closed.getsockname()[1]}"
    with Serve(native(auth={"cookie": {}})) as other:
        command = [str(PROGRAM), "serve", "--config", str(other.folder / "config.json"), "--listen", "127.0.0.1:0", "--store", store]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            fcntl.fcntl(process.stderr, fcntl.F_SETPIPE_SZ, 4096)
            url = "http://" + process.stderr.readline().decode().split()[-1]
            for _ in range(200):
                assert fetch(url + "/auth", {"Cookie": "jwtauth=jas.x"})[0] == 503
            assert fetch(url + "/healthz")[0] == 200
        finally:
            process.kill()
            process.wait(LIMIT)
            process.stderr.close()
