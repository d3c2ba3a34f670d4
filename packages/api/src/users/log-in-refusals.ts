/** The reasons for a failed login at a provider. They appear in the address of the login page, as `error`. */
export const refusalCodes = [
  /** The person canceled or was refused at the provider. */
  "denied",
  /** The login began too long ago, in another browser, or was completed before. */
  "expired",
  /** The person logged out at the provider before the login here was complete. */
  "logged-out",
  /** The provider cannot be reached. */
  "unavailable",
  /** The provider's answer is invalid. */
  "failed",
  /** The times in the provider's answer are too far from the server's. */
  "clock",
  /** The email address is missing or not verified. */
  "email-unverified",
  /** The email address belongs to an account that does not log in at this provider. */
  "email-taken",
  /** The domain of the email address is not allowed. */
  "domain",
  /** The person is in none of the allowed organizations and teams. */
  "organization",
  /** No value of the groups claim has a role. */
  "no-role",
  /** There is no account, and the provider creates none. */
  "not-invited",
  /** The account is suspended. */
  "suspended",
  /** A user wanted to log in as a person who has another account. */
  "identity-taken",
] as const;
export type RefusalCode = (typeof refusalCodes)[number];

/** The messages for failed logins; `name` is the provider's. */
const texts: Readonly<Record<RefusalCode, (name: string) => string>> = {
  denied: (name) => `The login was canceled or denied at ${name}. You can try again.`,
  expired: () =>
    "This login has expired, was completed before, or began in another browser. Log in again, with cookies allowed.",
  "logged-out": (name) =>
    `You were logged out at ${name} before this login was complete. Log in again.`,
  unavailable: (name) => `${name} does not respond. Try again later, or log in another way.`,
  failed: (name) =>
    `${name} did not confirm who you are. An administrator finds the reason in the server's log.`,
  clock: (name) =>
    `The clocks of ${name} and of this server differ too much. Ask an administrator to synchronize them.`,
  "email-unverified": (name) =>
    `${name} does not report a verified email address for you. Verify it there, and log in again.`,
  "email-taken": (name) =>
    `An account with your email address exists, but does not log in with ${name}. Log in as before, or ask an administrator.`,
  domain: () =>
    "Accounts with your email domain are not allowed here. Log in with another account, or ask an administrator.",
  organization: (name) =>
    `You are in none of the organizations at ${name} that are allowed here. Ask an administrator of one to add you.`,
  "no-role": (name) =>
    `None of your groups at ${name} has access to this server. Ask an administrator to add you to one.`,
  "not-invited": () =>
    "You have no account here. Ask an administrator to create one for your email address.",
  suspended: () => "Your account is suspended. Contact an admin to reactivate your account.",
  "identity-taken": (name) =>
    `You logged in at ${name} as a person who has another account here. Log out at ${name}, and try again as the right one.`,
};

/** Returns the text of a code from an address; undefined for any other text. */
export function refusalText(code: string | null, name: string): string | undefined {
  const known = refusalCodes.find((one) => one === code);
  return known === undefined ? undefined : texts[known](name);
}
