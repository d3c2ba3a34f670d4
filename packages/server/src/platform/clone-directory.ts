/** The directory of this package. `dist/bundle` lies as deep as `src/platform`. */
export const packageDirectory = new URL("../../", import.meta.url);

/** The directory of the clone, for the files in it that the server serves; a release has the same layout. */
export const cloneDirectory = new URL("../../", packageDirectory);
