/** A user of a container. */
export interface ContainerUser {
  /** As `docker exec --user` takes it. */
  readonly name: string;
  readonly home: string;
  readonly shell: string;
}

/** Reports whether a text names a user by its name, its uid, or `uid:gid`; never a flag. */
export function isUserName(text: string): boolean {
  return /^[A-Za-z0-9_][\w.-]{0,63}(?::[A-Za-z0-9_][\w.-]{0,63})?\$?$/.test(text);
}

/**
 * Finds a user in the text of `/etc/passwd`, by its name or its uid. A user without an entry, as with a numeric `USER` of
 * an image, has the root directory as its home, and `/bin/sh`.
 */
export function findUser(passwd: string, name: string): ContainerUser {
  const [wanted = ""] = name.split(":");
  for (const line of passwd.split("\n")) {
    const [entry, , uid, , , home = "", shell = ""] = line.trim().split(":");
    if (entry === wanted || uid === wanted) {
      return { name, home: absolute(home) ?? "/", shell: absolute(shell) ?? "/bin/sh" };
    }
  }
  return { name, home: "/", shell: "/bin/sh" };
}

function absolute(path: string): string | undefined {
  return path.startsWith("/") ? path : undefined;
}
