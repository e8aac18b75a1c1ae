"""
Set everything up from a bare checkout: ``python3 -m lifecycle.bootstrap demo`` or ``… test``.

Standard library only, because it runs before anything is installed. ``demo`` makes a virtual environment in
``.venv`` from the locked dependencies and starts the demo. ``test`` also installs the system packages that the
tests try the product against (Debian names), then runs every check. Both can be run again at any time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
FOREIGN = ROOT / ".venv-canaille"
"""An OpenID provider that the tests sign in at; its pins and ours do not go together."""
SYSTEM_PACKAGES = {
    "slapd": "slapd",
    "ldapmodify": "ldap-utils",
    "chromium": "chromium",
    "openssl": "openssl",
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
}
POLICY_RC_D = Path("/usr/sbin/policy-rc.d")
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
    ("pytest", "-q", "-n", "2", "--dist", "loadfile"),
)


def main(arguments: list[str]) -> int:
    """Run one of the two commands and return its exit code."""
    if sys.version_info < (3, 11):
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    match arguments:
        case ["demo", *rest]:
            _environment("requirements.lock")
            return _run("lifecycle", "demo", *rest)
        case ["test", *rest]:
            _system_packages()
            _environment("requirements-dev.lock")
            _foreign_environment()
            checks = [*CHECKS[:-1], (*CHECKS[-1], *rest)]
            return next((code for check in checks if (code := _run(*check))), 0)
        case ["setup"]:
            _environment("requirements-dev.lock")
            return 0
    print("usage: python3 -m lifecycle.bootstrap demo|test|setup [arguments passed on]", file=sys.stderr)
    return 2


def _run(program: str, *arguments: str) -> int:
    print(f"+ {program} {' '.join(arguments)}", flush=True)
    environment = {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    return subprocess.call([str(VENV / "bin" / program), *arguments], cwd=ROOT, env=environment)


def _environment(lock: str) -> None:
    """Make ``.venv`` hold exactly what *lock* names; do nothing when it does already."""
    inputs = [ROOT / lock, ROOT / "pyproject.toml", ROOT / ".ci/browser_assets.py"]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in inputs) + sys.version.encode()).hexdigest()
    stamp = VENV / f"installed-{lock}"
    assets = ROOT / "lifecycle/web/static/vendor/icons.svg"
    if stamp.exists() and stamp.read_text() == wanted and assets.exists():
        return
    _make_venv()
    _pip("--require-hashes", "-r", lock)
    _pip("--no-deps", "--editable", ".")
    stamp.write_text(wanted)


def _foreign_environment() -> None:
    lock = ROOT / "tests/servers/canaille.lock"
    wanted = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    stamp = FOREIGN / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    _make_venv(FOREIGN)
    _pip("--require-hashes", "-r", str(lock.relative_to(ROOT)), folder=FOREIGN)
    stamp.write_text(wanted)


def _make_venv(folder: Path = VENV) -> None:
    try:
        venv.create(folder, with_pip=True)
    except (subprocess.CalledProcessError, ImportError):
        # Debian ships python3 without ensurepip; its own package brings it.
        shutil.rmtree(folder, ignore_errors=True)
        _apt_install([f"python3.{sys.version_info.minor}-venv"])
        venv.create(folder, with_pip=True)


def _pip(*arguments: str, folder: Path = VENV) -> None:
    command = [str(folder / "bin/python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    print(f"+ pip install {' '.join(arguments)}", flush=True)
    subprocess.check_call([*command, *arguments], cwd=ROOT)


def _system_packages() -> None:
    path = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin{os.pathsep}/sbin"
    missing = [package for program, package in SYSTEM_PACKAGES.items() if not shutil.which(program, path=path)]
    if not any(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        missing.append("postgresql")
    if missing:
        _apt_install(missing)


def _apt_install(packages: list[str]) -> None:
    if not shutil.which("apt-get"):
        raise SystemExit(f"please install with your system's package tool: {' '.join(packages)}")
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    print(f"+ apt-get install {' '.join(packages)}", flush=True)
    with _services_not_started(as_root):
        subprocess.check_call([*as_root, "apt-get", "-q", "update"], stdout=subprocess.DEVNULL, env=environment)
        install = ["apt-get", "-q", "-y", "install", "--no-install-recommends", *packages]
        subprocess.check_call([*as_root, *install], stdout=subprocess.DEVNULL, env=environment)


@contextmanager
def _services_not_started(as_root: list[str]) -> Iterator[None]:
    """Keep Debian from starting the servers: the tests start private ones on free ports."""
    if as_root or POLICY_RC_D.exists():
        yield
        return
    POLICY_RC_D.write_text("#!/bin/sh\nexit 101\n")
    POLICY_RC_D.chmod(0o755)
    try:
        yield
    finally:
        POLICY_RC_D.unlink()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
