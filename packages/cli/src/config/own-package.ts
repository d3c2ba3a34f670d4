/** The directory of this package. It is two steps up from `src/config`, `dist/config` and `dist/bundle` alike. */
export const packageDirectory = new URL("../../", import.meta.url);

/** The version of this package; the command inside workspaces is a single file, without `package.json`. */
export const packageVersion = "0.1.0";
