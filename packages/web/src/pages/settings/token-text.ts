import { type ScopeName, scopeNames } from "@slipway/api/contract/scopes";

const daySeconds = 24 * 3600;
const nanosecondsPerDay = daySeconds * 1e9;

/** Returns the lifetimes in days to choose from, up to the maximum of the server, which is the last. */
export function lifetimeChoices(maxLifetimeNs: number): readonly number[] {
  const most = Math.floor(maxLifetimeNs / nanosecondsPerDay);
  return [...[1, 7, 30, 90, 365].filter((days) => days < most), ...(most >= 1 ? [most] : [])];
}

/** Returns a number of days as a request names it. */
export function lifetimeNs(days: number): number {
  return days * nanosecondsPerDay;
}

interface TokenTimes {
  readonly last_used: string;
  readonly created_at: string;
  readonly expires_at: string;
}

/** Returns the state of a token at a time. */
export function tokenState(token: TokenTimes, now: Date): "active" | "expires-soon" | "expired" {
  const left = new Date(token.expires_at).getTime() - now.getTime();
  if (left <= 0) return "expired";
  return left < 3 * daySeconds * 1000 ? "expires-soon" : "active";
}

/** Returns whether a token has been used: the server dates the last use of a new one before its creation. */
export function wasUsed({ last_used, created_at }: TokenTimes): boolean {
  return new Date(last_used).getTime() > new Date(created_at).getTime();
}

/** The scopes that a person thinks in, with what a token may do by them. */
export const purposes = [
  {
    scope: "coder:workspaces.access",
    label: "Connect to workspaces",
    hint: "SSH, terminals, ports and applications.",
  },
  {
    scope: "coder:workspaces.operate",
    label: "Start and stop workspaces",
    hint: "Also update them and change their settings.",
  },
  {
    scope: "coder:workspaces.create",
    label: "Create workspaces",
    hint: "From any template that you can use.",
  },
  { scope: "coder:workspaces.delete", label: "Delete workspaces", hint: "With their files." },
  {
    scope: "coder:templates.author",
    label: "Change templates",
    hint: "Push versions, edit settings, delete.",
  },
  {
    scope: "coder:apikeys.manage_self",
    label: "Manage your tokens",
    hint: "Only with rights that it has itself.",
  },
] as const satisfies readonly { scope: ScopeName; label: string; hint: string }[];

/** The other scopes, each for one action on one kind of resource. */
export const singleScopes: readonly ScopeName[] = scopeNames.filter(
  (scope) => !scope.startsWith("coder:"),
);

/** Splits what a person typed into the entries of an allow list, one a line or separated by commas. */
export function allowListOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((entry) => entry !== "");
}
