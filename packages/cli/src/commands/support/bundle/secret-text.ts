/** Removes secrets from a text. */
export type HideSecrets = (text: string) => string;

/** A possible secret in a text from others, such as a variable and its value. */
export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

const mark = "[removed]";

/** A shorter value would be removed from the middle of other words. */
const minKnownLength = 4;
/** Values that are never secrets, regardless of their name. */
const plainValues: ReadonlySet<string> = new Set(["true", "false", "none", "null"]);

/** `GIT_AUTHOR_NAME` contains a name that occurs everywhere. */
const secretName = /token|secret|passw|passphrase|pwd|credential|auth(?!or)|key$/i;

/** Returns values whose names suggest a secret. */
export function suspectedSecrets(values: readonly NamedValue[]): string[] {
  return values.filter(({ name }) => secretName.test(name)).map(({ value }) => value);
}

/**
 * Returns a function that removes secrets from a text: known ones, and anything in the form of one. Every pattern is
 * bounded, as a workspace may print anything.
 */
export function secretHider(known: readonly string[]): HideSecrets {
  const lines = known.flatMap((value) => value.split(/\r?\n/));
  // Half a surrogate pair, which a server may send, cannot be encoded.
  const encoded = known.map((value) => encodeURIComponent(value.toWellFormed()));
  const values = [...new Set([...known, ...lines, ...encoded])]
    .filter((value) => value.length >= minKnownLength && !plainValues.has(value))
    // A secret may contain another one.
    .toSorted((a, b) => b.length - a.length);
  return (text) => {
    const rest = values.reduce((shown, value) => shown.replaceAll(value, mark), text);
    return forms.reduce((shown, [form, replacement]) => shown.replaceAll(form, replacement), rest);
  };
}

/**
 * Also removes possible secrets from the words of a program: UUIDs, the form of agents' tokens, and long random
 * words.
 */
export function hideInWords(hide: HideSecrets): HideSecrets {
  return (text) => hide(text).replaceAll(uuid, mark).replaceAll(longWord, mark);
}

const forms: readonly (readonly [RegExp, string])[] = [
  // A truncated key has no end.
  [
    /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
    mark,
  ],
  // The user and password of a URL.
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#]{1,1024}@/gi, `$1${mark}@`],
  // Headers: a scheme and its credentials, and all cookies.
  [/\b(authorization["']?\s{0,4}:\s{0,4}["']?[a-z]\w{0,20} )[^"'\n]{1,8192}/gi, `$1${mark}`],
  [/\b((?:set-)?cookie["']?\s{0,4}:\s{0,4}["']?)[^"'\n]{1,8192}/gi, `$1${mark}`],
  [/\b(bearer|basic)\s{1,8}[\w.~+/=-]{6,}/gi, `$1 ${mark}`],
  // The settings of Docker and others for registries.
  [/("auth"\s{0,4}:\s{0,4}")[^"\n]{1,8192}/gi, `$1${mark}`],
  // `--password …`, and `curl -u ada:…`.
  [
    /(--[\w-]{0,40}(?:token|secret|passw(?:or)?d|passphrase|api-?key|access-?key|credentials?) {1,4}["']?)(?!-)[^\s"']{1,8192}/gi,
    `$1${mark}`,
  ],
  [
    /(\s(?:-u|--user|--proxy-user)[ =]["']?[^\s:"']{1,256}:)(?!\d{1,10}\b)[^\s"']{1,1024}/g,
    `$1${mark}`,
  ],
  // `ENCRYPTION_KEY=…`
  [/\b([A-Z][A-Z0-9_]{0,64}_(?:KEY|PASS|AUTH|PAT)=["']?)[^\s"']{1,8192}/g, `$1${mark}`],
  // `token=…`, `"password": "…"`.
  [
    /((?:token|secret|passw(?:or)?d|passphrase|pwd|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|authorization)["']?\s{0,4}[=:]\s{0,4}["']?)(?!\[removed\])(?!\w{1,21} \[removed\])(?:(?<=")[^"\n]+|(?<=')[^'\n]+|[^\s"'&,;]+)/gi,
    `$1${mark}`,
  ],
  // Session tokens (docs/protocol/rest.md §1.2).
  [/\b[A-Za-z0-9]{10}-[A-Za-z0-9]{22}\b/g, mark],
  // Tokens of git hosts and clouds, and JSON Web Tokens.
  [/\b(?:gh[a-z]_|github_pat_|glpat-|xox[a-z]-|AKIA|ASIA|sk-)[\w-]{12,}/g, mark],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{2,}(?:\.[\w-]*)?/g, mark],
];

const uuid = /\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi;
const longWord = /[A-Za-z0-9+_]{32,}={0,2}/g;
