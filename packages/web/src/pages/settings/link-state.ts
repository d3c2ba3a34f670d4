import type { ExternalAuthLink } from "@slipway/api/external-auth/external-auth";

import type { Tone } from "../../ui/status.tsx";

interface LinkState {
  readonly tone: Tone;
  readonly label: string;
  /** True if logging in at the provider would help. */
  readonly canLink: boolean;
}

/** Returns what a user should know of their link to a provider; undefined stands for none. */
export function linkState(
  link: Pick<ExternalAuthLink, "authenticated" | "has_refresh_token"> | undefined,
): LinkState {
  if (link === undefined) return { tone: "neutral", label: "Not linked", canLink: true };
  if (!link.authenticated) return { tone: "bad", label: "Token rejected", canLink: true };
  if (!link.has_refresh_token) return { tone: "good", label: "Linked", canLink: false };
  return { tone: "good", label: "Linked, renews automatically", canLink: false };
}
