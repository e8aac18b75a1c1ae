"""A private OpenLDAP: throw-away folder, free loopback ports, TLS, the overlays a test asks for."""

import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import ldap3

from tests.servers.certificates import Certificates
from tests.servers.ports import free_port, wait_until_open

PATH = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/bin"
SUFFIX = "dc=example,dc=test"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{SUFFIX}", "admin-secret"
SERVICE, SERVICE_PASSWORD = f"cn=lifecycle,ou=services,{SUFFIX}", "service-secret"
PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
POLICY = f"cn=default,ou=policies,{SUFFIX}"
MODULES = "/usr/lib/ldap"


def missing() -> str:
    """Say which program is missing, or nothing."""
    return next((p for p in ("slapd", "slapadd", "openssl") if not shutil.which(p, path=PATH)), "")


class Slapd:
    """One server. `start` and `stop` may be called again and again; the data stays."""

    def __init__(
        self,
        folder: Path,
        certificates: Certificates,
        *,
        refint: bool = True,
        ppolicy: bool = True,
        size_limit: int | None = None,
        fsync: bool = True,
    ) -> None:
        self.folder = folder
        self.certificates = certificates
        self.port, self.tls_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "data").mkdir(parents=True)
        (folder / "config").mkdir()
        config = folder / "config.ldif"
        config.write_text(self._config(refint, ppolicy, size_limit, fsync))
        self._tool("slapadd", "-n0", "-F", folder / "config", "-l", config)
        self.load(_base_tree(ppolicy))

    @property
    def url(self) -> str:
        """Address without TLS (for StartTLS)."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Address with TLS."""
        return f"ldaps://localhost:{self.tls_port}"

    def load(self, ldif: str) -> None:
        """Add entries while the server is down."""
        path = self.folder / "load.ldif"
        path.write_text(ldif)
        self._tool("slapadd", "-q", "-n1", "-F", self.folder / "config", "-l", path)

    def start(self) -> "Slapd":
        """Run the server as a child process and wait until it answers."""
        listen = f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"
        command = [_program("slapd"), "-F", str(self.folder / "config"), "-h", listen, "-d", "0"]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_until_open(self.port)
        wait_until_open(self.tls_port)
        return self

    def stop(self) -> None:
        """Shut the server down cleanly."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=20)
            self._process = None

    def pause(self) -> None:
        """Let the server accept connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def admin(self) -> ldap3.Connection:
        """Connect as the directory's own administrator."""
        server = ldap3.Server("127.0.0.1", port=self.port, get_info=ldap3.NONE)
        return ldap3.Connection(
            server,
            ADMIN,
            ADMIN_PASSWORD,
            auto_bind=True,
            raise_exceptions=True,
            check_names=False,
            auto_referrals=False,
        )

    @contextmanager
    def members_hidden(self) -> Iterator[None]:
        """Take the right to see members away inside the block, as a mistaken ACL edit does."""
        self._set_access([f'{{0}}to dn.subtree="{GROUPS}" attrs=member by * none', "{1}to * by * read"])
        yield
        self._set_access(_access(ppolicy=True))

    def _set_access(self, rules: list[str]) -> None:
        server = ldap3.Server("127.0.0.1", port=self.port, get_info=ldap3.NONE)
        config = ldap3.Connection(server, "cn=config", ADMIN_PASSWORD, auto_bind=True, raise_exceptions=True)
        config.modify("olcDatabase={1}mdb,cn=config", {"olcAccess": [(ldap3.MODIFY_REPLACE, rules)]})
        config.unbind()

    def add_person(self, admin: ldap3.Connection, uid: str, number: str = "") -> str:
        """Add an inetOrgPerson and return its entryUUID."""
        dn = f"uid={ldap3.utils.dn.escape_rdn(uid)},{PEOPLE}"
        values = {"uid": uid, "cn": uid, "sn": uid, "userPassword": "secret"}
        admin.add(dn, "inetOrgPerson", values | ({"employeeNumber": number} if number else {}))
        return self.entry_uuid(admin, dn)

    @staticmethod
    def entry_uuid(admin: ldap3.Connection, dn: str) -> str:
        """Read the immutable id of an entry."""
        admin.search(dn, "(objectClass=*)", ldap3.BASE, attributes=["entryUUID"])
        return str(admin.response[0]["raw_attributes"]["entryUUID"][0].decode())

    @staticmethod
    def members(admin: ldap3.Connection, group_dn: str) -> set[str]:
        """Read the members of a group as the administrator sees them."""
        admin.search(group_dn, "(objectClass=*)", ldap3.BASE, attributes=["member"])
        return {value.decode() for value in admin.response[0]["raw_attributes"].get("member", [])}

    def _tool(self, program: str, *arguments: object) -> None:
        done = subprocess.run([_program(program), *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def _config(self, refint: bool, ppolicy: bool, size_limit: int | None, fsync: bool) -> str:
        modules = ["back_mdb", "memberof", *(["refint"] if refint else []), *(["ppolicy"] if ppolicy else [])]
        overlays = ["memberof", *(["refint"] if refint else []), *(["ppolicy"] if ppolicy else [])]
        limit = "unlimited" if size_limit is None else str(size_limit)
        tls = self.certificates
        parts = [
            f"""dn: cn=config
objectClass: olcGlobal
cn: config
olcTLSCACertificateFile: {tls.ca}
olcTLSCertificateFile: {tls.certificate}
olcTLSCertificateKeyFile: {tls.key}
""",
            f"""dn: cn=module{{0}},cn=config
objectClass: olcModuleList
cn: module{{0}}
olcModulePath: {MODULES}
"""
            + "".join(f"olcModuleLoad: {name}\n" for name in modules),
            "dn: cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: schema\n",
            *(f"include: file:///etc/ldap/schema/{name}.ldif\n" for name in ("core", "cosine", "inetorgperson")),
            f"""dn: olcDatabase={{0}}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {{0}}config
olcRootDN: cn=config
olcRootPW: {ADMIN_PASSWORD}
olcAccess: {{0}}to * by dn.exact="{SERVICE}" read by * none
""",
            f"""dn: olcDatabase={{1}}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {{1}}mdb
olcSuffix: {SUFFIX}
olcRootDN: {ADMIN}
olcRootPW: {ADMIN_PASSWORD}
olcDbDirectory: {self.folder / "data"}
olcDbMaxSize: 1073741824
olcDbIndex: objectClass,entryUUID,entryCSN,uid,employeeNumber,cn,member,memberOf eq
olcDbNoSync: {"FALSE" if fsync else "TRUE"}
olcLimits: {{0}}dn.exact="{SERVICE}" size={limit} time=30
"""
            + "".join(f"olcAccess: {rule}\n" for rule in _access(ppolicy)),
            *(self._overlay(i, name) for i, name in enumerate(overlays)),
        ]
        return "\n".join(parts)

    @staticmethod
    def _overlay(position: int, name: str) -> str:
        details = {
            "memberof": "objectClass: olcMemberOf\n",
            "refint": "objectClass: olcRefintConfig\nolcRefintAttribute: member\n",
            "ppolicy": f"objectClass: olcPPolicyConfig\nolcPPolicyDefault: {POLICY}\n",
        }[name]
        return (
            f"dn: olcOverlay={{{position}}}{name},olcDatabase={{1}}mdb,cn=config\n"
            f"objectClass: olcOverlayConfig\n{details}olcOverlay: {{{position}}}{name}\n"
        )


def _access(ppolicy: bool) -> list[str]:
    """Rights as the documentation recommends them: the service account writes members and the end of accounts."""
    end = f'to dn.subtree="{PEOPLE}" attrs=pwdEndTime,pwdAccountLockedTime by dn.exact="{SERVICE}" manage by * read'
    rules = [
        "to attrs=userPassword by anonymous auth by self write by * none",
        f'to dn.subtree="{GROUPS}" attrs=member by dn.exact="{SERVICE}" write by * read',
        *([end] if ppolicy else []),
        "to * by * read",
    ]
    return [f"{{{i}}}{rule}" for i, rule in enumerate(rules)]


def _base_tree(ppolicy: bool) -> str:
    entries = [f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n"]
    entries += [
        f"dn: ou={ou},{SUFFIX}\nobjectClass: organizationalUnit\nou: {ou}\n"
        for ou in ("people", "groups", "services", "policies")
    ]
    entries.append(
        f"dn: {SERVICE}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n"
        f"cn: lifecycle\nuserPassword: {SERVICE_PASSWORD}\n"
    )
    if ppolicy:
        entries.append(
            f"dn: {POLICY}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: default\n"
            "pwdAttribute: userPassword\npwdLockout: TRUE\n"
        )
    return "\n".join(entries)


def people_ldif(uids: Sequence[str]) -> str:
    """Write many people quickly, for `Slapd.load`."""
    return "\n".join(
        f"dn: uid={uid},{PEOPLE}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\nemployeeNumber: {uid}\n"
        for uid in uids
    )


def group_ldif(name: str, uids: Sequence[str]) -> str:
    """Write one group for `Slapd.load`."""
    members = "".join(f"member: uid={uid},{PEOPLE}\n" for uid in uids) or "member: cn=nobody\n"
    return f"\ndn: cn={name},{GROUPS}\nobjectClass: groupOfNames\ncn: {name}\n{members}"


def _program(name: str) -> str:
    found = shutil.which(name, path=PATH)
    assert found, f"{name} is not installed"
    return found
