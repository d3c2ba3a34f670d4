/** Kinds of names that the server knows. */
export type NameKind = "workspace" | "template" | "version" | "preset" | "user" | "token";

/** Completion of a value: files, names that the server knows, or a fixed list of words. */
export type CompletionSource = "files" | NameKind | readonly string[];
