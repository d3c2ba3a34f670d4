/** The key of the commands that the user let run, in the storage of this tab. */
const storageKey = "slipway-allowed-command";

/**
 * Returns whether a command in the address may run without a question: a page of this server led here, or the user has
 * allowed it in this tab. A link on another site must not run anything in a workspace.
 */
export function isAllowedCommand(command: string): boolean {
  const isFromHere =
    document.referrer !== "" && new URL(document.referrer).origin === location.origin;
  return isFromHere || sessionStorage.getItem(storageKey) === command;
}

/** Remembers that the user lets a command run. */
export function allowCommand(command: string): void {
  sessionStorage.setItem(storageKey, command);
}
