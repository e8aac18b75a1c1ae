"""A private PostgreSQL cluster on a socket in a throw-away folder; a fresh database for each test that asks."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import psycopg

from tests.servers.ports import free_port

USER = "postgres"


def binaries() -> Path | None:
    """Find the newest installed server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


def missing() -> str:
    """Say what is missing, or nothing."""
    return "" if binaries() else "postgresql"


class Postgres:
    """One cluster, run as a user of its own where the tests run as root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._databases = 0
        found = binaries()
        assert found is not None
        self._bin = found
        if os.geteuid() == 0:
            for path in (folder, *folder.parents):
                if path == Path("/tmp"):
                    break
                path.chmod(path.stat().st_mode | 0o055)
            shutil.chown(folder, USER, USER)
        data = folder / "data"
        self._run("initdb", "-D", str(data), "-U", USER, "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8")
        options = f"-p {self.port} -k {folder} -c listen_addresses= -c max_connections=60"
        self._run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")

    def fresh_database(self, template: str = "template0") -> str:
        """Create a database, empty or as a copy of *template*, and return its SQLAlchemy URL."""
        self._databases += 1
        name = f"test_{self._databases}"
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')  # type: ignore[arg-type]
        return f"postgresql+psycopg://{USER}@/{name}?host={self.folder}&port={self.port}"

    def _dsn(self, database: str) -> str:
        return f"host={self.folder} port={self.port} user={USER} dbname={database}"

    def stop(self) -> None:
        """Shut the cluster down."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        if os.geteuid() == 0:
            pwd.getpwnam(USER)
            command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *command]
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert done.returncode == 0, done.stderr
