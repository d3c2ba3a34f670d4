const secretName = /TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|PRIVATE_KEY|API_?KEY|ACCESS_KEY/i;
/** The shortest value that is hidden: shorter ones are parts of ordinary words. */
const minLength = 8;
const replacement = "(hidden)";

/**
 * Returns a function that hides the secrets of a run in its log: the values of variables whose names tell that they hold one,
 * line by line, and the tokens of agents. The program itself hides only what its providers declare as sensitive.
 */
export function redactor(
  environment: Readonly<Record<string, string>>,
  tokens: readonly string[],
): (text: string) => string {
  const values = Object.entries(environment).flatMap(([name, value]) =>
    secretName.test(name) ? value.split("\n") : [],
  );
  const secrets = [...new Set([...values, ...tokens].map((value) => value.trim()))]
    .filter((value) => value.length >= minLength)
    // One may be a part of another.
    .toSorted((a, b) => b.length - a.length);
  if (secrets.length === 0) return (text) => text;
  return (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, replacement), text);
}
