import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { pack } from "tar-stream";

/** Packs the root of an image whose programs are mounted from this machine. */
export async function packMachine(): Promise<Uint8Array> {
  const tar = pack();
  for (const name of [
    "proc",
    "sys",
    "dev",
    "usr",
    "etc/nginx",
    "var/log/nginx",
    "var/lib/nginx",
    "run",
    "root",
  ])
    tar.entry({ name: `${name}/`, type: "directory", mode: 0o755 });
  tar.entry({ name: "tmp/", type: "directory", mode: 0o1777 });
  for (const [name, uid] of [
    ["postgresql", 999],
    ["slipway", 10_001],
  ] as const)
    tar.entry({ name: `var/lib/${name}/`, type: "directory", mode: 0o700, uid, gid: uid });
  tar.entry({
    name: "var/lib/postgresql/data/",
    type: "directory",
    mode: 0o700,
    uid: 999,
    gid: 999,
  });
  for (const name of ["bin", "lib", "lib64", "sbin"])
    tar.entry({ name, type: "symlink", linkname: `usr/${name}` });
  const users = [
    "root:x:0:0",
    "nobody:x:65534:65534",
    "postgres:x:999:999",
    "slipway:x:10001:10001",
  ];
  tar.entry({ name: "etc/passwd" }, users.map((user) => `${user}::/tmp:/bin/sh\n`).join(""));
  tar.entry({ name: "etc/group" }, "root:x:0:\nnogroup:x:65534:\n");
  tar.finalize();
  return buffer(Readable.from(tar));
}
