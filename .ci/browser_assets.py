"""Build step: collect htmx and icons from build-time packages, so that nothing third-party is committed."""

import hashlib
import io
import re
import zipfile
from importlib.metadata import files
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HTMX = "django_htmx/static/django_htmx/htmx-2.min.js"
HTMX_SHA256 = "71ea67185bfa8c98c39d31717c6fce5d852370fcdfd129db4543774d3145c0de"
ICONS = (
    "arrow-right", "bell", "calendar-days", "circle-alert", "circle-check", "clock", "fast-forward", "git-compare",
    "hourglass", "inbox", "key-round", "layout-dashboard", "lock", "log-out", "menu", "plug", "refresh-cw",
    "scroll-text", "search", "shield-alert", "sun-moon", "triangle-alert", "upload", "users", "x",
    "circle-dot", "circle-user-round", "mail", "octagon-x", "plus", "calendar-minus", "calendar-plus", "check",
    "download", "file-spreadsheet", "snowflake", "user-minus", "user-plus",
)  # fmt: skip
HTMX_LICENCE = """\
htmx, Zero-Clause BSD

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is
hereby granted. THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS
SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE
LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM
LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING
OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.

Lucide icons, ISC License, Copyright (c) Lucide Icons and Contributors

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is
hereby granted, provided that the above copyright notice and this permission notice appear in all copies.
THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE.
"""


class BrowserAssets(BuildHookInterface):  # type: ignore[type-arg]
    """Write ``lifecycle/web/static/vendor``: htmx.min.js, icons.svg and their licences."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        out = Path(self.root) / "lifecycle/web/static/vendor"
        out.mkdir(parents=True, exist_ok=True)
        (out / "htmx.min.js").write_bytes(_htmx())
        (out / "icons.svg").write_text(_sprite())
        (out / "LICENSES.txt").write_text(HTMX_LICENCE)


def _located(package: str, ending: str) -> Path:
    found = [f for f in files(package) or () if str(f).endswith(ending)]
    if len(found) != 1:
        raise RuntimeError(f"{package} holds {len(found)} files that end in {ending}, expected one")
    return Path(str(found[0].locate()))


def _htmx() -> bytes:
    content = _located("django-htmx", HTMX).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != HTMX_SHA256:
        raise RuntimeError(f"{HTMX}: unexpected content {digest}")
    return content


def _sprite() -> str:
    archive = zipfile.ZipFile(io.BytesIO(_located("lucide", ".zip").read_bytes()))
    names = {Path(name).stem: name for name in archive.namelist() if name.endswith(".svg")}
    symbols = []
    for icon in ICONS:
        body = re.search(r"<svg[^>]*>(.*)</svg>", archive.read(names[icon]).decode(), re.DOTALL)
        if body is None:
            raise RuntimeError(f"icon {icon} is not an SVG")
        symbols.append(f'<symbol id="{icon}" viewBox="0 0 24 24">{body[1].strip()}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>\n"
