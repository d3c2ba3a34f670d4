import type { Report, SettingSource } from "./setting-source.ts";

/** The settings of numbered things, such as `SLIPWAY_LOGIN_0_ID`: the beginnings of their variables, and their keys. */
export interface NumberedForm<K extends string> {
  /** Of several, the first one that is set takes precedence. */
  readonly prefixes: readonly [string, ...string[]];
  /** One phrase about each key. */
  readonly keys: Readonly<Record<K, string>>;
  /** The maximum number of things. */
  readonly max: number;
  /** The things in the plural, for people. */
  readonly noun: string;
}

/** Returns readers of the things that are set, by number; reports settings that do not exist, among them misspelled ones. */
export function numberedReaders<K extends string>(
  form: NumberedForm<K>,
  source: SettingSource,
  report: Report,
): readonly NumberedReader<K>[] {
  const numbers = numbersOf(form, source, report);
  return numbers.map((number) => new NumberedReader(form, source, number, report));
}

function numbersOf<K extends string>(
  { prefixes, keys, max, noun }: NumberedForm<K>,
  source: SettingSource,
  report: Report,
): readonly number[] {
  const form = formOf(prefixes);
  const numbers = new Set<number>();
  for (const name of Object.keys(source)) {
    const [, prefix, number, key = ""] = form.exec(name) ?? [];
    if (number === undefined || (source[name] ?? "") === "") continue;
    if (Object.hasOwn(keys, key)) numbers.add(Number(number));
    // Settings of the original that have no meaning here are ignored.
    else if (prefix === prefixes[0]) {
      report(name, `one of the settings of ${noun}: ${Object.keys(keys).join(", ")}`);
    }
  }
  const sorted = [...numbers].toSorted((a, b) => a - b);
  if (sorted.length <= max) return sorted;
  report(`${prefixes[0]}_${sorted[max] ?? 0}_ID`, `one of at most ${max} ${noun}`);
  return [];
}

/** Returns what a variable sets; undefined if it is none of these settings. */
export function numberedSummary(
  { prefixes, keys }: NumberedForm<string>,
  name: string,
): string | undefined {
  const [, , , key = ""] = formOf(prefixes).exec(name) ?? [];
  return Object.hasOwn(keys, key) ? keys[key] : undefined;
}

/** The form of a variable: its prefix, its number and its key. */
function formOf(prefixes: readonly string[]): RegExp {
  return new RegExp(`^(${prefixes.join("|")})_(\\d{1,3})_([A-Z0-9_]+)$`);
}

/** The maximum length of a list. */
const maxListItems = 64;
const maxTextLength = 2048;

/** Reads the settings of one numbered thing. */
export class NumberedReader<K extends string> {
  /** The beginning of the variables, without the underscore before the key. */
  readonly beginning: string;
  readonly #form: NumberedForm<K>;
  readonly #source: SettingSource;
  readonly #number: number;
  readonly #report: Report;
  hasProblem = false;

  constructor(form: NumberedForm<K>, source: SettingSource, number: number, report: Report) {
    this.beginning = `${form.prefixes[0]}_${number}`;
    this.#form = form;
    this.#source = source;
    this.#number = number;
    this.#report = report;
  }

  /** Reports a setting, by the name under which it is set. */
  report(key: K, wanted: string): undefined {
    this.hasProblem = true;
    return this.#report(this.#nameOf(key) ?? `${this.beginning}_${key}`, wanted);
  }

  text(key: K, maxLength = maxTextLength): string | undefined {
    const name = this.#nameOf(key);
    const text = name === undefined ? undefined : this.#source[name];
    if (text === undefined) return undefined;
    if (text.length <= maxLength && !/\p{Cc}/u.test(text)) return text;
    return this.report(key, `a text of at most ${maxLength} printable characters`);
  }

  url(key: K): string | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const url = URL.parse(text);
    const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
    if (isWeb && url.username === "" && url.password === "" && url.hash === "") return text;
    return this.report(key, "a URL that begins with https:// or http://, without a user");
  }

  isTrue(key: K): boolean {
    const text = this.text(key) ?? "false";
    if (text !== "true" && text !== "false") this.report(key, "true or false");
    return text === "true";
  }

  /** Reads words separated by spaces or commas. */
  list(key: K, fallback: readonly string[]): readonly string[] {
    const text = this.text(key);
    if (text === undefined) return fallback;
    const words = text.split(/[\s,]+/).filter((word) => word !== "");
    if (words.length <= maxListItems && words.every((word) => /^[!#-[\]-~]+$/.test(word)))
      return words;
    this.report(key, `at most ${maxListItems} words of ASCII, separated by spaces or commas`);
    return fallback;
  }

  choice<const C extends string>(key: K, choices: readonly C[], fallback: C): C {
    const text = this.text(key);
    if (text === undefined) return fallback;
    const choice = choices.find((one) => one === text);
    if (choice === undefined) this.report(key, `one of ${choices.join(", ")}`);
    return choice ?? fallback;
  }

  #nameOf(key: K): string | undefined {
    return this.#form.prefixes
      .map((prefix) => `${prefix}_${this.#number}_${key}`)
      .find((name) => (this.#source[name] ?? "") !== "");
  }
}

const nameForm = /^[a-z0-9]+(?:-[a-z0-9]+)*$/i;
const maxNameLength = 64;

/** Returns whether a text may be the id of a provider, which is a part of URLs. */
export function isProviderId(text: string): boolean {
  return nameForm.test(text) && text.length <= maxNameLength;
}
