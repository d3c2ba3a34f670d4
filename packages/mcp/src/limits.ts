/** The time that a tool waits for a workspace when its caller sets none, and at most, in seconds. */
export const defaultWaitSeconds = 45;
export const maxWaitSeconds = 110;
/** The maximum number of workspaces and templates of a list. */
export const maxListed = 100;
/** The longest time that a call follows a run, in seconds. */
export const maxRunWaitSeconds = 110;
/** The numbers of bytes of output that a call returns when its caller sets none, and at most. */
export const outputPageBytes = 30_000;
export const maxOutputBytes = 256 * 1024;
/** The maximum number of bytes of a file that a call reads. */
export const maxReadBytes = 256 * 1024;
/** The maximum number of characters that a call writes: those of a message, less what surrounds and escapes them. */
export const maxWriteChars = 512 * 1024;
/** The maximum number of characters of an error that a tool passes on. */
export const maxErrorChars = 4_096;
