/** Shells with a completion script. */
export const shells = ["bash", "zsh", "fish", "powershell"] as const;

export type Shell = (typeof shells)[number];

/** The first word of a command line that requests candidates; the typed words follow. */
export const completeWord = "__complete";
