/** The directory of this package. `dist/bundle` lies as deep as `src/platform`. */
export const packageDirectory = new URL("../../", import.meta.url);

/** The directory of the clone, for files of it that the server hands out; a release has them in the same order. */
export const cloneDirectory = new URL("../../", packageDirectory);
