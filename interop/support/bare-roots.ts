import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chown, copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A file system without Node.js in which agents start, as in a container. */
export interface BareRoot {
  readonly name: string;
  readonly directory: string;
}

/** The user of the workspaces, who owns only the home directory. */
const uid = 4711;
const homeInRoot = "/home/ada";

/** Installs a minimal system of a Debian release, with one download program. */
export async function makeDebianRoot(
  place: string,
  release: string,
  downloader: "curl" | "wget",
): Promise<BareRoot> {
  const directory = join(place, release);
  const { status, stdout, stderr } = spawnSync(
    "debootstrap",
    ["--variant=minbase", `--include=${downloader}`, release, directory, mirror()],
    { encoding: "utf8", timeout: 600_000 },
  );
  if (status !== 0) throw new Error(`debootstrap exited with ${status}:\n${stdout}${stderr}`);
  await addUser(directory);
  return { name: release, directory };
}

/** Creates a system with a statically linked busybox and musl's loader, like Alpine. */
export async function makeBusyboxRoot(place: string): Promise<BareRoot> {
  const directory = join(place, "busybox");
  for (const name of ["bin", "dev", "etc", "lib", "proc", "tmp", "usr/bin", "sbin", "usr/sbin"]) {
    await mkdir(join(directory, name), { recursive: true });
  }
  await copyFile("/bin/busybox", join(directory, "bin/busybox"));
  await copyFile("/lib/x86_64-linux-musl/libc.so", join(directory, "lib/libc.musl-x86_64.so.1"));
  await symlink("libc.musl-x86_64.so.1", join(directory, "lib/ld-musl-x86_64.so.1"));
  run("chroot", [directory, "/bin/busybox", "--install", "-s"]);
  for (const [name, minor] of Object.entries({ null: "3", zero: "5", urandom: "9" })) {
    run("mknod", ["-m", "666", join(directory, "dev", name), "c", "1", minor]);
  }
  await writeFile(join(directory, "etc/passwd"), "root:x:0:0::/:/bin/sh\n");
  run("chmod", ["1777", join(directory, "tmp")]);
  await addUser(directory);
  return { name: "busybox and musl", directory };
}

async function addUser(directory: string): Promise<void> {
  const home = join(directory, homeInRoot);
  await mkdir(home, { recursive: true });
  await chown(home, uid, uid);
  const line = `ada:x:${uid}:${uid}::${homeInRoot}:/bin/sh\n`;
  await writeFile(join(directory, "etc/passwd"), line, { flag: "a" });
}

/**
 * Runs a line of shell in the root as its user, in separate namespaces: everything that the process started ends with
 * it. The first process of a namespace, with which the others end, stays root's: the kernel would not kill one that
 * changes its user with its parent.
 */
export function runInRoot(
  { directory }: BareRoot,
  line: string,
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const prepare = `mount -t proc proc "$0/proc" && mkdir -p "$0/dev/pts" &&
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$0/dev/pts" &&
    ln -sf pts/ptmx "$0/dev/ptmx" &&
    { chroot --userspec=${uid}:${uid} "$0" /bin/sh -c "$1"; exit $?; }`;
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child"];
  return spawn("unshare", [...namespaces, "sh", "-c", prepare, directory, line], {
    env: { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", HOME: homeInRoot, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** The mirror from which this machine's packages come. */
function mirror(): string {
  const list = run("apt-get", ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
  return list.split("\n").find((uri) => /\/debian\/?$/.test(uri)) ?? "http://deb.debian.org/debian";
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} exited with ${status}: ${stderr}`);
  return stdout;
}
