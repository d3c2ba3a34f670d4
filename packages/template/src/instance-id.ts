/** The longest name of a cloud's machine, in characters; real ones have less than 40. */
export const maxInstanceIdLength = 256;

/** Reports whether a text can be a cloud's name for a machine: visible ASCII. */
export function isInstanceId(text: string): boolean {
  return text.length <= maxInstanceIdLength && /^[!-~]+$/.test(text);
}

/** Completes the sentence "wanted …". */
export const instanceIdWanted = `1 to ${maxInstanceIdLength} visible ASCII characters without spaces`;
