"""The ways in which rosters come by themselves: a watched folder, an SFTP server, a report over HTTPS."""
