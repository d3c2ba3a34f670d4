/** The shells that there is a script for. */
export const shells = ["bash", "zsh", "fish", "powershell"] as const;

export type Shell = (typeof shells)[number];

/** The first word of a command line that asks for candidates; the words that are typed follow. */
export const completeWord = "__complete";
