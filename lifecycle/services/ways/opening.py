"""From the settings of a source to its way in."""

from __future__ import annotations

from lifecycle.domain.roster import Scope
from lifecycle.services.ways.folder import FolderWay
from lifecycle.services.ways.way import Way
from lifecycle.settings import FolderSettings, Settings, SftpSettings


def open_way(settings: Settings, name: str) -> Way:
    """
    Make the way in of a configured source. Nothing is connected.

    Args:
        settings: The whole configuration.
        name: A key of ``[sources]``.
    """
    source = settings.sources[name]
    profile, place = settings.profiles[source.profile], source.location
    folder, largest = settings.folder, settings.rosters.largest_mib * 2**20
    if isinstance(place, FolderSettings):
        return FolderWay(folder / place.path, place.pattern, largest)
    if isinstance(place, SftpSettings):
        # only who uses it waits for its import
        from lifecycle.services.ways.sftp import SftpWay

        return SftpWay(place, folder, profile.scope is Scope.DELTA, largest)
    from lifecycle.services.ways.https import HttpsWay

    return HttpsWay(place, folder, largest)
