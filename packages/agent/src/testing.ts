/** Parsers of outside bytes, exported only for fuzzing (`npm run fuzz:codecs`). */
export { expandPath } from "./process/expand.ts";
export { splitShellWords } from "./process/shell-words.ts";
export { TerminalError } from "./pty/errors.ts";
export { TerminalMessages } from "./pty/messages.ts";
export { parseCron } from "./scripts/cron.ts";
export { CronError } from "./scripts/cron.ts";
export { LineSplitter, maxLineBytes } from "./scripts/line-splitter.ts";
export { ManifestError } from "./session/manifest.ts";
export { readManifest } from "./session/manifest.ts";
export { SshError } from "./ssh/errors.ts";
export type { GcmState } from "./ssh/ssh2/gcm-direction.ts";
export { GcmOpener } from "./ssh/ssh2/gcm-opener.ts";
export { SftpError } from "./ssh/sftp/errors.ts";
export { FieldReader } from "./ssh/sftp/fields.ts";
export { PacketReader } from "./ssh/sftp/packets.ts";
