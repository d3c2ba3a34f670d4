import type { AuditLog } from "@slipway/api/audit/audit-log";

type Entry = Pick<AuditLog, "description" | "resource_target" | "user">;

/** A part of a sentence; names were chosen by somebody else. */
export interface SentencePart {
  /** Its place in the sentence. */
  readonly place: number;
  readonly text: string;
  readonly isName: boolean;
}

/** Fills the names into the sentence of an entry, in which `{user}` and `{target}` stand for them. */
export function sentenceOf({ description, resource_target, user }: Entry): readonly SentencePart[] {
  return description
    .split(/(\{user\}|\{target\})/)
    .filter((text) => text !== "")
    .map((text, place) => {
      if (text === "{user}") return { place, text: user?.username ?? "the server", isName: true };
      if (text === "{target}") return { place, text: resource_target, isName: true };
      return { place, text: withInitials(text), isName: false };
    });
}

/** Returns a value of a change in one line: text as it is, everything else as JSON. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined || value === "") return "—";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Returns the name of a kind of resource or action as a person reads it. */
export function wordsOf(name: string): string {
  const words = withInitials(name.replaceAll("_", " "));
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Returns a text with abbreviations in capitals: "an API key". */
function withInitials(text: string): string {
  return text
    .replaceAll(/\b(?:api|ssh|ip|id|url)\b/g, (word) => word.toUpperCase())
    .replace("oauth2", "OAuth2");
}
