import { DriverError } from "../errors.ts";

/* `/etc/passwd` and `/etc/group` of an image, and the user of a template in them (passwd(5), group(5)). */

export interface UserAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
  /** The shell of new users. */
  readonly shell: string;
}

/** The user of a container, and the files with their entry if they lack it. */
export interface ContainerUser {
  /** As the engine takes it: podman looks a name up before there is an entry. */
  readonly identity: string;
  readonly account: UserAccount;
  readonly files: Pick<UserFiles, "passwd" | "group"> | undefined;
}

const firstUid = 1000;
const maxUid = 60_000;
const userPattern = /^(?:[a-z_][\w-]{0,31}|\d{1,9})$/i;
const groupPattern = userPattern;

/** Throws `invalid-template` for a user that cannot be an entry of the files. */
export function requireUser(text: string): void {
  const [user = "", group, ...more] = text.split(":");
  const isValid =
    userPattern.test(user) &&
    (group === undefined || groupPattern.test(group)) &&
    more.length === 0;
  if (isValid) return;
  throw new DriverError(
    "invalid-template",
    `user ${JSON.stringify(text.slice(0, 100))}, wanted a name of letters, digits, hyphens and underscores, or a uid, with :group if wanted`,
  );
}

/**
 * Returns the account of a user, given as a name or a uid with an optional group; an empty text is root. A user without
 * an entry gets one, with the preferred uid if that is free. The group, if any, is the engine's concern.
 */
export function findUser(
  text: string,
  files: UserFiles,
  preferredUid: number | undefined,
): ContainerUser {
  const accounts = parsePasswd(files.passwd);
  const [user = "", group] = (text === "" ? "root" : text).split(":");
  const known = accounts.find(({ name, uid }) => name === user || String(uid) === user);
  if (known !== undefined) return { identity: text, account: known, files: undefined };
  const account = newAccount(user, { files, accounts, preferredUid });
  const { name, uid, gid, home, shell } = account;
  const hasGroup = parseGroups(files.group).some((one) => one.gid === gid);
  return {
    identity: `${uid}:${group ?? gid}`,
    account,
    files: {
      passwd: withLine(files.passwd, `${name}:x:${uid}:${gid}::${home}:${shell}`),
      group: hasGroup ? files.group : withLine(files.group, `${name}:x:${gid}:`),
    },
  };
}

interface NewUser {
  readonly files: UserFiles;
  readonly accounts: readonly UserAccount[];
  readonly preferredUid: number | undefined;
}

function newAccount(user: string, { files, accounts, preferredUid }: NewUser): UserAccount {
  const { shell } = files;
  if (user === "root" || user === "0")
    return { name: "root", uid: 0, gid: 0, home: "/root", shell };
  const taken = new Set(accounts.map(({ uid }) => uid));
  const given = /^\d+$/.test(user) ? Number(user) : undefined;
  const uid = given ?? freeId(taken, preferredUid);
  const name = given === undefined ? user : `user-${user}`;
  const groups = parseGroups(files.group);
  const own = groups.find((group) => group.name === name)?.gid;
  const gid = own ?? freeId(new Set(groups.map((group) => group.gid)), uid);
  return { name, uid, gid, home: `/home/${name}`, shell };
}

function freeId(taken: ReadonlySet<number>, preferred: number | undefined): number {
  if (preferred !== undefined && preferred > 0 && !taken.has(preferred)) return preferred;
  for (let id = firstUid; id < maxUid; id += 1) if (!taken.has(id)) return id;
  throw new DriverError("not-startable", `the image has no free uid from ${firstUid} to ${maxUid}`);
}

function parsePasswd(text: string): readonly UserAccount[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , uid = "", gid = "", , home = "", shell = ""] = line.split(":");
    if (name === "" || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return [];
    return [{ name, uid: Number(uid), gid: Number(gid), home, shell }];
  });
}

function parseGroups(text: string): readonly { readonly name: string; readonly gid: number }[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , gid = ""] = line.split(":");
    return name === "" || !/^\d+$/.test(gid) ? [] : [{ name, gid: Number(gid) }];
  });
}

function withLine(text: string, line: string): string {
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`;
}
