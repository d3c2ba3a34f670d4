import { constants, openSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { normalize } from "node:path";

import { openOwnFile, openOwnFileSync, type OwnFileOptions } from "@slipway/runtime/own-file";

/** Devices and the streams of processes, which only the system creates. */
const devices = /^\/(dev\/(?!shm\/|mqueue\/)|proc\/[^/]+\/fd\/)/;
/** Opens without waiting for the other end of a pipe, and without acquiring a terminal. */
const deviceFlags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Opens a log that the configuration or a template names: a device, or a file that this user owns. Rejects with `FileError`
 * and with the errors of the file system.
 */
export async function openLogFile(path: string, options: OwnFileOptions): Promise<FileHandle> {
  return isDevice(path) ? open(path, deviceFlags) : openOwnFile(path, options);
}

/** `openLogFile` for the agent's own log. Returns a descriptor. */
export function openLogFileSync(path: string, options: OwnFileOptions): number {
  return isDevice(path) ? openSync(path, deviceFlags) : openOwnFileSync(path, options);
}

function isDevice(path: string): boolean {
  return devices.test(normalize(path));
}
