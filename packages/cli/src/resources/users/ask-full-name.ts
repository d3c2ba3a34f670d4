import type { Prompts } from "../../terminal/prompts.ts";

/** Asks for the full name of a new user, the author of their commits; resolves with "" for none. */
export function askFullName(prompts: Prompts): Promise<string> {
  return prompts.text({ message: "Full name (optional)", fallback: "" });
}
