"""
A private OpenSSH server: throw-away folder, own port, own host key, SFTP only.

As root (in CI) it serves a user made for it, who has a password and a key; otherwise whoever runs the tests, by key.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.servers.ports import free_port, wait_until_open

PATH = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/bin"
PASSWORD = "correct-horse"


def missing() -> str:
    """Say which program is missing, or nothing."""
    return next((p for p in ("sshd", "ssh-keygen", "openssl") if not shutil.which(p, path=PATH)), "")


class Sshd:
    """One server. `start` and `stop` may be called again and again; files and keys stay."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        # beside pytest's own folders, which nobody but root may enter
        self.folder = Path(tempfile.mkdtemp(prefix="sftp-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.files = self.folder / "files"
        self.files.mkdir()
        self._private = folder
        self.has_password = os.geteuid() == 0
        self.user = self._make_user() if self.has_password else pwd.getpwuid(os.getuid()).pw_name
        self.key, self.foreign_key = self._make_key("user"), self._make_key("foreign")
        authorized = self.folder / "authorized_keys"
        authorized.write_text(self.key.with_suffix(".pub").read_text())
        self._config = folder / "sshd_config"
        self._config.write_text(self._lines(self._make_key("host"), self._make_key("host-rsa", "rsa"), authorized))
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def _make_user(self) -> str:
        name = f"sftp{self.port}"
        Path("/run/sshd").mkdir(exist_ok=True)
        hashed = _tool("openssl", "passwd", "-6", PASSWORD).strip()
        _tool("useradd", "--no-create-home", "--home-dir", self.files, "--shell", "/bin/sh", "-p", hashed, name)
        return name

    def _make_key(self, name: str, kind: str = "ed25519") -> Path:
        path = self._private / name
        _tool("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", path)
        return path

    def _lines(self, host_key: Path, rsa_host_key: Path, authorized: Path) -> str:
        return f"""
Port {self.port}
ListenAddress 127.0.0.1
HostKey {host_key}
HostKey {rsa_host_key}
PidFile none
UsePAM no
UseDNS no
StrictModes no
PasswordAuthentication yes
KbdInteractiveAuthentication no
AuthorizedKeysFile {authorized}
Subsystem sftp internal-sftp
ForceCommand internal-sftp
MaxStartups 100
LogLevel QUIET
"""

    def host_key(self, name: str = "host") -> str:
        """Return a host key as known_hosts has it."""
        return (self._private / f"{name}.pub").read_text().strip()

    def start(self) -> None:
        """Run the server as a child process and wait until it answers."""
        program = shutil.which("sshd", path=PATH)
        assert program
        command = [program, "-D", "-f", str(self._config)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until_open(self.port)

    def stop(self) -> None:
        """Stop listening and end every session."""
        if self._process is not None:
            self.end_sessions()
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None

    def close(self) -> None:
        """Leave nothing behind."""
        self.stop()
        if self.has_password:
            subprocess.run([shutil.which("userdel", path=PATH) or "userdel", "--force", self.user], capture_output=True)
        shutil.rmtree(self.folder)

    def pause(self) -> None:
        """Let the server accept connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def pause_sessions(self) -> None:
        """Let the sessions under way answer nothing any more."""
        self._signal_sessions(signal.SIGSTOP)

    def end_sessions(self) -> None:
        """Kill the sessions under way, as a crash of the server does."""
        self._signal_sessions(signal.SIGKILL)

    def _signal_sessions(self, number: int) -> None:
        assert self._process is not None
        for process in _below(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(process, number)


def _below(parent: int) -> list[int]:
    """List the processes that *parent* has started, and theirs; at once, for what they do goes on meanwhile."""
    try:
        children = list(map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split()))
    except OSError:  # it is gone, or this kernel does not say
        children = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if int(path.read_text().rsplit(")", 1)[1].split()[1]) == parent:
                    children.append(int(path.parent.name))
    return [process for child in children for process in (child, *_below(child))]


def _tool(program: str, *arguments: object) -> str:
    found = shutil.which(program, path=PATH)
    assert found, f"{program} is not installed"
    done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
