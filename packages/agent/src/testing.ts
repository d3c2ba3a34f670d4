/** Parsers of outside bytes, for their fuzzing alone (`npm run fuzz:codecs`). */
export { expandPath } from "./process/expand.ts";
export { splitShellWords } from "./process/shell-words.ts";
export { TerminalError } from "./pty/errors.ts";
export { TerminalMessages } from "./pty/messages.ts";
export { parseCron } from "./scripts/cron.ts";
export { CronError } from "./scripts/errors.ts";
export { LineSplitter, maxLineBytes } from "./scripts/line-splitter.ts";
export { ManifestError } from "./session/errors.ts";
export { readManifest } from "./session/manifest.ts";
export { SshError } from "./ssh/errors.ts";
export type { GcmState } from "./ssh/gcm/gcm-direction.ts";
export { GcmOpener } from "./ssh/gcm/gcm-opener.ts";
export { SftpError } from "./ssh/sftp/errors.ts";
export { FieldReader } from "./ssh/sftp/fields.ts";
export { PacketReader } from "./ssh/sftp/packet-reader.ts";
