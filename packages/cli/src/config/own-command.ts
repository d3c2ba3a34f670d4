/** Returns the words that run this command again, wherever and with whatever PATH that is. */
export function ownCommand(): readonly string[] {
  const [node = process.execPath, script] = process.argv;
  return [node, ...process.execArgv, ...(script === undefined ? [] : [script])];
}
