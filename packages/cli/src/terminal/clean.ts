// Control characters but tab: C0, DEL and C1. They would move the cursor or recolour what follows.
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const control = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** Text of others in one line that cannot steer the terminal. */
export function cleanLine(text: string): string {
  return text.replaceAll(/\r?\n/g, " ").replaceAll(control, "");
}
