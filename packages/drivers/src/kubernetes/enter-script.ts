/**
 * A program for the archive's Node.js, which starts as root: becomes the user of a name, who gets an entry in
 * `/etc/passwd` and a home if the image lacks them, and the volumes that still belong to root, and then replaces itself
 * with a command. Its arguments are the name, the paths of the volumes as JSON, and the command.
 */
export const enterScript = `
const fs = require("node:fs");
const { dirname } = require("node:path");
const [name, volumesJson, ...command] = process.argv.slice(1);
const volumes = JSON.parse(volumesJson);
const read = (path) => {
  try {
    return fs.readFileSync(path, "utf8");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return "";
  }
};
const append = (path, text, line) =>
  fs.writeFileSync(path, text + (text === "" || text.endsWith("\\n") ? "" : "\\n") + line + "\\n");
const isRoots = (path) => {
  try {
    const found = fs.lstatSync(path);
    return found.isDirectory() && found.uid === 0;
  } catch {
    return false;
  }
};
const passwd = read("/etc/passwd");
const entries = passwd.split("\\n").map((line) => line.split(":"));
let entry = entries.find(([known]) => known === name);
if (entry === undefined) {
  const taken = new Set(entries.map(([, , uid]) => Number(uid)));
  const home = "/home/" + name;
  const owner = volumes.includes(home) ? fs.statSync(home).uid : 0;
  let uid = owner > 0 && !taken.has(owner) ? owner : 1000;
  while (taken.has(uid)) uid += 1;
  const shell = ["/bin/bash", "/bin/sh"].find((path) => fs.existsSync(path));
  entry = [name, "x", String(uid), String(uid), "", home, shell];
  append("/etc/passwd", passwd, entry.join(":"));
  append("/etc/group", read("/etc/group"), [name, "x", String(uid), ""].join(":"));
  for (const path of ["/home", home]) if (!fs.existsSync(path)) fs.mkdirSync(path);
  if (isRoots(home)) fs.chownSync(home, uid, uid);
}
const [, , uidText, gidText, , home, shell] = entry;
const [uid, gid] = [Number(uidText), Number(gidText)];
if (uid !== 0) {
  for (const volume of volumes) {
    if (isRoots(volume)) fs.chownSync(volume, uid, gid);
    for (let at = dirname(volume); at.startsWith(home + "/"); at = dirname(at)) {
      if (isRoots(at)) fs.chownSync(at, uid, gid);
    }
  }
}
process.initgroups(name, gid);
process.setgid(gid);
process.setuid(uid);
process.execve(command[0], command, { ...process.env, HOME: home, USER: name, LOGNAME: name, SHELL: shell });
`;

/**
 * Puts the agent into the volume that it shares with the workspace's container: from the image, which may have it at
 * `/opt/slipway`, or from the server, checked by its SHA-256.
 */
export const installScript = `set -eu
target=/.slipway
[ ! -e "$target/slipway" ] || exit 0
if [ -x /opt/slipway/bin/slipway ]; then
  cp -R /opt/slipway "$target/new"
else
  archive="$target/agent.tar.gz"
  if command -v curl >/dev/null; then
    curl -fsSL -o "$archive" "$SLIPWAY_ARCHIVE_URL"
  else
    wget -q -O "$archive" "$SLIPWAY_ARCHIVE_URL"
  fi
  echo "$SLIPWAY_ARCHIVE_SHA256  $archive" | sha256sum -c - >/dev/null || {
    echo "$SLIPWAY_ARCHIVE_URL is not the agent of this server, wanted SHA-256 $SLIPWAY_ARCHIVE_SHA256" >&2
    exit 1
  }
  mkdir "$target/unpacked"
  tar -xzf "$archive" -C "$target/unpacked"
  rm "$archive"
  mv "$target/unpacked/slipway" "$target/new"
fi
mv "$target/new" "$target/slipway"
`;
