import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { pack } from "tar-stream";

const programs = [
  "cat",
  "chmod",
  "chown",
  "cp",
  "env",
  "grep",
  "head",
  "id",
  "kill",
  "ls",
  "mkdir",
  "mv",
  "pidof",
  "ps",
  "rm",
  "sh",
  "sleep",
  "stat",
  "tail",
  "test",
  "touch",
  "tr",
  "true",
  "tty",
  "uname",
  "wget",
  "whoami",
];

/** Debian's package busybox-static. */
const busybox = "/bin/busybox";

/** Packs the root of a small image: BusyBox, a few of its programs, root, and `users` as lines of `/etc/passwd`. */
export async function packBox(users = ""): Promise<Uint8Array> {
  const tar = pack();
  for (const name of ["bin/", "etc/", "proc/", "sys/", "dev/", "root/", "usr/", "usr/bin/"]) {
    tar.entry({ name, type: "directory", mode: 0o755 });
  }
  tar.entry({ name: "tmp/", type: "directory", mode: 0o1777 });
  tar.entry({ name: "bin/busybox", mode: 0o755 }, await readFile(busybox));
  for (const name of programs) {
    tar.entry({ name: `bin/${name}`, type: "symlink", linkname: "busybox" });
  }
  tar.entry({ name: "etc/passwd" }, `root:x:0:0:root:/root:/bin/sh\n${users}`);
  tar.entry({ name: "etc/group" }, "root:x:0:\n");
  tar.finalize();
  return buffer(Readable.from(tar));
}
