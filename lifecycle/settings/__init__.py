"""``config.toml`` read once into frozen settings; anything unknown or contradictory stops the program and is named."""

from lifecycle.settings.base import PLACEHOLDER, Secret
from lifecycle.settings.document import Settings, effective, load
from lifecycle.settings.members import DirectorySignInSettings, OidcSettings, SignInSettings
from lifecycle.settings.notices import ChatSettings, HookSettings, NoticeSettings, SmtpSettings
from lifecycle.settings.requests import RequestSettings
from lifecycle.settings.rosters import FIELDS, ProfileSettings, PushSettings, RosterSettings
from lifecycle.settings.rules import SiteSettings, TargetSettings
from lifecycle.settings.running import ClockSettings, EngineSettings, StoreSettings, WebSettings
from lifecycle.settings.sources import FolderSettings, HttpsSettings, SftpSettings, SourceSettings

__all__ = [
    "FIELDS",
    "PLACEHOLDER",
    "ChatSettings",
    "ClockSettings",
    "DirectorySignInSettings",
    "EngineSettings",
    "FolderSettings",
    "HookSettings",
    "HttpsSettings",
    "NoticeSettings",
    "OidcSettings",
    "ProfileSettings",
    "PushSettings",
    "RequestSettings",
    "RosterSettings",
    "Secret",
    "Settings",
    "SftpSettings",
    "SignInSettings",
    "SiteSettings",
    "SmtpSettings",
    "SourceSettings",
    "StoreSettings",
    "TargetSettings",
    "WebSettings",
    "effective",
    "load",
]
